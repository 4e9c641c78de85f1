// Package installation makes the files of one installation of Parley that can't
// be in a repository: its secrets, and the settings that depend on the host.
//
// A file that is there is never written again: running services have read it.
// Start reading at [Make].
package installation
