//go:build !linux

package main

import "time"

// processStart is the start of main, as near as Go's standard library tells.
func processStart() time.Time { return time.Now() }
