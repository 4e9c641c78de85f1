//go:build !linux

package netns

import (
	"errors"
	"os/exec"
)

// Isolate lets the command fail: only Linux has network namespaces.
func Isolate(cmd *exec.Cmd) { cmd.Err = errors.New("network namespaces need Linux") }
