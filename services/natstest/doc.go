// Package natstest gives tests a real NATS server with JetStream.
//
// The server lives in the test's process and ends with the test. Nothing here
// is a fake, and nothing may be imported by a program.
package natstest
