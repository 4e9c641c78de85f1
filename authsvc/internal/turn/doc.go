// Package turn makes TURN credentials that a TURN server checks by itself: it
// and authsvc share a secret, and a credential says until when it is good
// (draft-uberti-behave-turn-rest-00; coturn calls it use-auth-secret).
//
// Start with [Issuer.Issue]. A username is made of the expiry and a number that
// is the same for one person of one app and tells nobody who that is, so that a
// TURN server can hold its users to quotas and its logs name no one. The
// package never reads a clock and keeps nothing.
package turn
