// Package lan opens a development server to the network that the machine is in.
// Browsers give a page the camera only in a secure context, so that needs TLS,
// and nobody has a certificate for an address like 192.168.1.5: it makes one.
//
// Start with Addresses and Certificate, then NewListener, which serves https to
// the network, http to this machine, and tells whoever comes with http from the
// network where https is.
//
// It promises that the private key stays in its folder, for its owner alone, and
// that a connection that says nothing holds up nobody else. The certificate is
// signed by itself: browsers warn, and who accepts it trusts the network.
package lan
