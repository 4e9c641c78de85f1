// Package tail tells what an entry of the signal log holds to people who watch a
// room: who sent what to whom, how large it was and what the filter took out.
//
// Start with Read. It is pure. It promises that nothing of a body leaves it but
// counts, and of a candidate its type and protocol: no description, no address,
// no message, no presence.
package tail
