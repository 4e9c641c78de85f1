//go:build !linux

package browser

import (
	"errors"
	"os/exec"
)

// isolate lets the command fail: only Linux has network namespaces.
func isolate(cmd *exec.Cmd) { cmd.Err = errors.New("network namespaces need Linux") }
