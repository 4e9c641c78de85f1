// Package standalone is all of Parley in one process: an embedded NATS server
// and the four services, run by the same functions that run them as processes.
//
// Start with Run. Config holds the configuration of every part; DevDefaults is
// what `parley dev` uses, with its secrets in Files. Front is the one address at
// which all of them are reached.
//
// It promises that nothing differs from the distributed stack but who made the
// NATS connection and that one listener serves all. It never replaces a service
// by something simpler, and hands out tokens without a key only if it is told to
// by Develop.
package standalone
