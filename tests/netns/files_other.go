//go:build !linux

package netns

import "errors"

var errLinux = errors.New("mount namespaces need Linux")

func bind(_, _ string) error { return errLinux }

func unbind(string) error { return errLinux }
