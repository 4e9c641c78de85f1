// Package natsusers writes the part of nats-server's configuration that says who
// may do what: one user a service, with the subjects of services/contract and
// nothing else.
//
// Start reading at authorization.go. The package promises that a password never
// stands in what it writes, only its hash. It reads and writes no files.
package natsusers
