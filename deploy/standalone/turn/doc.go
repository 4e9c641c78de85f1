// Package turn is a STUN and TURN server (RFC 8489, RFC 8656) for the programs
// that run all of Parley at once: pion's server with the bounds and the
// permissions that a server in the open needs.
//
// Start with Config, then Run. Credentials are those that an authsvc with the
// same secret makes: a username that begins with its expiry, and its HMAC.
//
// It promises that nobody relays without such a credential, that no user and no
// crowd of users holds more than the configured allocations, and that nothing is
// relayed to an address that is more private than the relay's own: a relay on
// the internet is no way into the network behind it. It relays UDP alone and
// never logs an address.
package turn
