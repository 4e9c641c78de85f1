// Package chaos is the folder of the chaos run: all of Parley as processes, faults
// from a seed, and a checker that knows each signal. README.md says how it is run
// and what it counts.
package chaos
