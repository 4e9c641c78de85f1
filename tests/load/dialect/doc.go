// Package dialect is what the clients of the bench say to each kind of server:
// the same conversation in four languages.
//
// Start with dialect.go. A conversation is: greet, join a room, exchange one
// offer and one answer, then candidates. The package is pure: it makes texts and
// reads texts. What it sends as a candidate frame is as long as a browser's, and
// every candidate says who sent it and which one it is (candidate.go).
package dialect
