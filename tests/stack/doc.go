// Package stack runs the whole of Parley for tests: in this process over an
// embedded NATS server, or as seven programs of `make build` (nats-server, two
// edges, a filter, two roomsvcs, an authsvc).
//
// Start with InProcess and Processes; both give a Stack, so that one scenario
// runs on either. The scenarios are the tests of this package.
//
// It promises that nothing in a Stack is fake, and that everything it started
// is stopped when the test ends.
package stack
