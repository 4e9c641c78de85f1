// Package machine starts the programs of the bench and measures what they use.
//
// Start with process.go. It promises that a process and all that it started are
// ended by Stop, that processor time is read in nanoseconds and that of children
// counts, also after they ended. It never looks at a process that it hasn't
// started, other than to find children.
package machine
