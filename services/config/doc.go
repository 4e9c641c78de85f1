// Package config reads a process's configuration and says where each value
// came from.
//
// A program describes its configuration as sections: structs filled with the
// defaults. [Load] lays four sources over them, the later one winning:
//
//	defaults < YAML file < environment < flags
//
// Start reading at load.go. The package promises that a mistake never passes
// silently: an unknown key, a value of the wrong type, an unreadable secret
// and every fault that a section's Validate finds are reported together, each
// under the name the user wrote. It never exits the process, never reads the
// environment other than through [Options], and never prints a [Secret].
package config
