// Package contract is everything that two parts of Parley must agree on: ids
// and how they become subject tokens, NATS subjects, JetStream buckets and
// their values, the entries of the signal log, the client frames, error and
// close codes, filter rules and limits.
//
// Start with ids.go (what may be named), then frames_client.go and
// frames_server.go (what a client says and hears), then entry.go (what one
// edge commits for another).
//
// It promises that every name on a wire stands here once and is pinned by a
// test, and it imports the standard library only, so that clients stay small.
// It never does I/O, never reads a clock and never logs.
package contract
