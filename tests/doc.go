// Package tests is the module of everything that needs more than one of Parley's modules: the services together in
// one process and as programs, their failures, their load, and the rules that hold over the whole repository.
//
// Each folder is one kind of question; start with stack for the way of a signal through everything, and with arch for
// what may import what. The module also pins, by the tool lines of its go.mod, the programs that tests start and
// Parley doesn't write, such as nats-server.
//
// It uses only what the other modules export, never anyone's internal packages: what a test here can't reach, a user
// can't reach either. No other module depends on it.
package tests
