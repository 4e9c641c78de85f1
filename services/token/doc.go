// Package token is what a room token is: how it is signed, and when it is
// believed. A room token is a JWT (RFC 7519) signed with Ed25519 (RFC 8037);
// authsvc makes them, edges check them with the public keys of the bucket
// "keys" and ask nobody.
//
// Start with [Verifier.Verify]. The keys come from the caller, see the package
// keywatch beside this one; [Sign] is for whoever holds a private key.
//
// It promises that nothing is believed about a token before its signature
// verified under a key that was given, that there is exactly one text for one
// token, that every claim is required and of its type, and that every error is
// safe to show to whoever sent the token. It never reads a clock (time is
// passed in), does no I/O and never logs.
package token
