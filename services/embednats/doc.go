// Package embednats runs a NATS server with JetStream inside this process.
//
// It is the real server, with the real subjects, streams and permissions; only
// the connection is in memory when asked. Start reading at server.go. The
// package never handles signals and never listens unless told where.
package embednats
