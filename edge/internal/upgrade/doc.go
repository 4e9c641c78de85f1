// Package upgrade owns the door: it decides from an HTTP request whether a
// WebSocket connection may begin, and turns the request into one (RFC 6455
// section 4).
//
// Start with Door.Upgrade. It promises that only the pages of allowed origins
// get in, that a refusal is a JSON error with a cure, that GET /v1/check tells
// a page the same thing that browsers hide from it, and that no byte sent right
// after the handshake is lost. It never sees a room token: one in the URL is
// refused.
package upgrade
