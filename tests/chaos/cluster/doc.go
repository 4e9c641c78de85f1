// Package cluster runs all of Parley as processes, each in a network namespace of
// its own, and breaks them: three nats-servers with R3 and three shards, edges, two
// filters, two roomsvcs and an authsvc, from bin/.
//
// Start with Start, which must run in a network namespace that is nobody else's
// (tests/netns). Process has what can be done to one: kill, stop, cut off, slow down.
//
// It promises that every process ends with this one, also when this one is killed,
// and that nothing outside of the namespace changes.
package cluster
