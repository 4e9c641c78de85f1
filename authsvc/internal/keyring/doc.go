// Package keyring holds the keys that room tokens are signed with.
//
// Start with [New]. One key signs; others may verify beside it while tokens
// that they signed are still out (rotation), and retired ones never again. The
// package promises that a private key leaves it only as a signature, and that
// no error repeats any part of a key. It does no I/O and reads no clock.
package keyring
