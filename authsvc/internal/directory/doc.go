// Package directory knows the apps and finds the one that an API key belongs to.
//
// Start with [Directory.Find]. It holds SHA-256 hashes only, and promises that
// the time of a search tells nothing about them. It does no I/O: what the
// bucket "apps" says is given to [Directory.Set] and [Directory.Remove].
package directory
