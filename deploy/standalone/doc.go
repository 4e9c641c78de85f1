// Package standalone is all of Parley in one process: an embedded NATS server
// and the four services, run by the same functions that run them as processes.
//
// Start with Run. Config holds the configuration of every part; DevDefaults is
// what `parley dev` uses, with its secrets in Files.
//
// It promises that nothing differs from the distributed stack but who made the
// NATS connection. It never replaces a service by something simpler.
package standalone
