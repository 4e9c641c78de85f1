// Package driver is the clients of the bench: thousands of WebSocket connections
// on one thread.
//
// Start with crowd.go (connections that join and describe themselves), then
// window.go (one measurement). schedule.go says when which client sends,
// ledger.go checks every delivery; both are pure. loop.go is the epoll loop and
// frame.go the few bytes of RFC 6455 that a client needs.
//
// The package promises that a message has one moment at which it is due,
// whatever the server did to those before it, and that its latency counts from
// there: there is no coordinated omission. It never sends a message later
// because a reply is missing.
package driver
