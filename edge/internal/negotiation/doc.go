// Package negotiation follows what one pair of peers negotiates, as the edge of
// one of them sees it, to drop candidates that nobody can use any more and to
// answer glare.
//
// Start with Pair. It promises a fixed size whatever peers send, and to call a
// candidate superseded only if it is: a candidate of an unknown negotiation, or
// one with a username fragment that a current description has, always passes.
// It never holds or reorders anything, and it keeps no SDP.
package negotiation
