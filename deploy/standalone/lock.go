package standalone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked")

// lockFolder takes the store folder for this process, until it ends or unlock
// is called. Two NATS servers over the files of one would destroy them, and a
// NATS server doesn't notice another.
func lockFolder(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("standalone.store_dir: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("standalone.store_dir: %w", err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("the folder %s (standalone.store_dir) is in use by another parley: stop that one or name another folder", dir)
		}
		return nil, fmt.Errorf("standalone.store_dir: lock %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil // which gives the lock back
}
