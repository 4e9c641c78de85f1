// Package cli runs the parley command as people and scripts do: by its
// arguments, environment and files, and by what it prints and how it exits.
//
// Start with run, which runs one command to its end, and startDev, which runs
// `parley dev` in a folder of its own until the test stops it.
//
// It uses bin/parley as `make build` made it, and never the command's own code.
package cli
