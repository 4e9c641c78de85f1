// Package trace watches the whole of Parley from outside, as an operator does:
// by the spans that its programs export, the metrics that they show and what
// they say about their health.
//
// Start with Receiver, a real OTLP receiver, and with the test of a
// candidate's hops. exposition.go reads metrics, probe.go asks the admin
// endpoints.
//
// It promises that every span it knows came over HTTP from a program of its
// own. It never looks into a process.
package trace
