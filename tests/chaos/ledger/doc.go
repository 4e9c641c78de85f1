// Package ledger writes down who was sent which signal, and judges each delivery:
// once, twice, out of order, or to the wrong member; what was acknowledged and
// never came is lost.
//
// Start with Room: Offer and Settle are the sender's side, Deliver the
// receiver's, Finish gives the verdict. It is pure: it is told the time.
//
// A signal is owed to a member if the sender saw that member in the room when it
// sent, the signal was acknowledged, and the member stayed. A member that left, or
// vanished for good, is owed nothing; one whose session was lost still is, since it
// came back.
package ledger
