// Package compose asks whether the stack of deploy/compose is what users need:
// its files by themselves, and, with `make compose-test`, run by a Docker engine.
package compose
