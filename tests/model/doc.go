// Package model is a small model of links and moves: how signals find their
// receiver while clients change their edges, edges die and sleep, and the network
// delays what it likes. A test explores every order in which things can happen,
// within bounds, and says in which of them a promise would be broken.
//
// Start with world.go, which is everything that there is at one moment. links.go
// is the way of a signal into the log and lanes.go what holds it back, takeover.go
// what happens when a client comes to another edge, arrival.go how a receiver gets
// what it missed and what is new, judge.go which of it counts, faults.go what goes
// wrong. step.go lists what can happen in a world;
// explore.go visits all worlds; rules.go names the rules of the design, each of
// which can be taken out. tidy.go keeps worlds from differing without need.
//
// It promises that a setup which it explored without a fault keeps, as far as the
// model goes: what is acknowledged is in a log; a receiver's application gets
// nothing twice and nothing before what its sender sent earlier; and whenever
// nothing can happen any more, everything was delivered and acknowledged. It
// imports none of the code that it is a model of: README.md says what it leaves
// out.
package model
