// Package call makes one real call through a running Parley: two pion peers
// meet in a room, negotiate over the signaling path alone, open a data channel
// and exchange random bytes both ways.
//
// Start with Run. `parley call` and the tests use it.
//
// It promises that every description and candidate is pion's own and took the
// way of any other client's, and that a Result without an error means that each
// byte arrived. It measures nothing but this call.
package call
