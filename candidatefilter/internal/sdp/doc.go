// Package sdp owns the text of a session description (RFC 8866) on its way from
// one peer to another: it reads an offer or answer line by line, strictly, and
// writes one that says the same about media and nothing about addresses that
// the policy doesn't allow.
//
// Start at [Sanitise]; lines.go reads, session.go and media.go write, and
// attribute.go holds the list of what may stay.
//
// # What is kept
//
// Attributes pass by an allow-list. The other way, to name what leaks, fails
// open: the next draft's attribute with an address or a URL in it would pass
// until somebody noticed. Removing an attribute fails closed and is safe for the
// peers, since a receiver must ignore an attribute that it doesn't know (RFC
// 8866 section 5.13), and so offers are written to work without it. The price
// is that a new WebRTC attribute needs a line in the list before peers can
// negotiate it; the count under contract.RuleSDPLine shows that.
//
// What is on the list stays byte for byte, unless its value holds what reads as
// an IP address: then the line goes. This keeps accidents from happening. It is
// no guard against two peers that want to tell each other an address: those have
// application messages for that.
//
// # What is blanked
//
// Under the policies public and relay: c= becomes "IN IP4 0.0.0.0", a port in m=
// or a=rtcp becomes 9 (0 stays, it rejects the section), the address of o=
// becomes 0.0.0.0 unless it is that or 127.0.0.1 already. These are the values
// that browsers themselves write before they have candidates (RFC 8829 section
// 5.2.1). Under the policy all they stay if they are unicast addresses.
// Candidates are judged by package policy; one that doesn't parse is dropped.
// Under every policy i=, u=, e=, p=, r=, z=, k= and session-level candidates go,
// a name in s= and a login in o= become "-", and a CNAME ends at its "@".
//
// # Promises
//
// Every line ends in CRLF, whether it came with CRLF or with LF. Media lines
// come out in the order of RFC 8866 section 9, c= b= a=, also when a page has
// inserted them elsewhere. The result is a fixed point: sanitising it again
// changes nothing. It is at most [Growth] bytes a line longer than the input.
// Time and memory are linear in the input, which [Limits] bounds.
//
// It never repairs a line that it doesn't understand, never repeats input in an
// error, and never resolves anything.
package sdp
