// Package target starts the systems that the bench measures, all in the same
// way: their own programs on the loopback interface, with as few settings as
// their guides have.
//
// Start with target.go. It promises that a System that was stopped has left no
// process and no file behind. What bounds a client of Parley is set so wide that
// it doesn't count, since the others bound nothing (parley.go).
package target
