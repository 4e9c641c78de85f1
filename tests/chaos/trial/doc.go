// Package trial is one chaos run: a cluster, a crowd, the faults of a schedule, and
// the verdict.
//
// Start with Run. faults.go does what a fault says, diary.go remembers when, and
// report.go is the line that a run prints and the text that says what went wrong
// while what was broken.
package trial
