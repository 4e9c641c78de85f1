// Package session runs the golden session scripts of the contract
// (services/contract/testdata/vectors/sessions.json) against a running stack:
// what a client says, and what it must hear, frame by frame.
//
// Start with script.go, which plays one script; wire.go is a client that
// believes nothing and only keeps what comes.
package session
