// Package conn owns one WebSocket connection (RFC 6455) of a server after its
// handshake: it reads text messages and writes text frames.
//
// Start with New and Conn.Read; who sends to many connections at once uses Queue
// and Flush. On a socket that can be asked without waiting (edge/internal/poll)
// a connection that waits holds neither a read nor a write buffer, and a write
// needs a goroutine only if the peer doesn't take it at once.
//
// It promises that texts arrive in the order of Send, that many of them share one
// write to the socket, that what waits for a slow reader is bounded, that no peer,
// however broken or dead, holds a goroutine for longer than a write time-out, and
// that every protocol error is answered by its close code. It never looks into a
// text.
package conn
