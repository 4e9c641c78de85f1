//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package standalone

import "os"

// lockFile takes no lock: this system has none that ends with the process and
// that Go's standard library knows.
func lockFile(*os.File) error { return nil }
