package netns

import (
	"errors"

	"golang.org/x/sys/unix"
)

// bind mounts a file over another one, seen by this mount namespace alone.
func bind(file, over string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return errors.Join(errors.New("make mounts private"), err)
	}
	return unix.Mount(file, over, "", unix.MS_BIND, "")
}

func unbind(path string) error { return unix.Unmount(path, 0) }
