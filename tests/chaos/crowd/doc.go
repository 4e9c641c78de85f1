// Package crowd is the people of a chaos run: clients of edge/client in rooms, used
// as an application would, and everything they saw told to ledgers and histories.
//
// Start with Crowd. Members stay for the whole run and send at a rate that doesn't
// wait for answers; visitors come and go, and some of them vanish without a word.
// wire.go is how a client's socket is cut, breaker.go what breaks deliveries on
// purpose to see whether the ledger finds it.
package crowd
