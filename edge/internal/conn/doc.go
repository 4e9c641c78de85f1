// Package conn owns one WebSocket connection (RFC 6455) of a server after its
// handshake: it reads text messages and writes text frames.
//
// Start with New and Conn.Read; who sends to many connections at once uses Queue
// and Flush. A connection that waits holds neither a read nor a write buffer, if
// it is a raw socket (TCP without TLS, on Unix). It promises that texts arrive in the order of
// Send, that many of them share one write to the socket, that what waits for a
// slow reader is bounded, that no peer, however broken or dead, holds a
// goroutine for longer than a write time-out, and that every protocol error is
// answered by its close code. It never looks into a text.
package conn
