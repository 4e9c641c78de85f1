// Package client is the Go client of Parley's wire protocol v1: one WebSocket
// to an edge, rooms on it, and signals (offers, answers, candidates, messages)
// to the other members of those rooms.
//
// Start with [Dial], [Client.Join] and [Room.Next]; then read outbox.go (what
// was sent and not yet acknowledged), roster.go (who is in a room) and
// receive.go (what each server frame does).
//
// It promises that a sending call which returned nil was settled by the edge,
// that each signal reaches the application once and in its sender's order,
// also when the connection moves to another edge, and that a signal whose fate
// it can't know is reported as [ErrUnknownOutcome] and never sent twice. Every
// exported method may be called by several goroutines at once.
//
// It bounds all it keeps. An application that is slow to take its events isn't
// cheated of any: the client stops reading the socket until there is room
// again, see [WithEventBuffer]. Who joins a room must therefore keep reading
// the events of that room.
//
// It never looks into a description or a candidate, never keeps anything on
// disk, and depends on no NATS and no tracing library.
package client
