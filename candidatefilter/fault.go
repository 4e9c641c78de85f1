package candidatefilter

import "github.com/parley-rtc/parley/services/contract"

// Why an entry is refused whole; the label of refused_entries_total.
const (
	reasonSubject   = "subject"    // names that are no tokens
	reasonReply     = "reply"      // nobody to answer, or a subject that isn't an inbox
	reasonMessageID = "message_id" // not of the link
	reasonTooLarge  = "too_large"  // over the limits of an entry, as it came or as it would be stored
	reasonMalformed = "malformed"  // not an entry, or nothing in it
	reasonName      = "name"       // a signal's app, room, sender or receiver is no token
	reasonVerdict   = "verdict"    // it claims to have been filtered
	reasonUnknown   = "unknown"    // it holds what this filter doesn't know and so can't judge
)

// fault is why an entry is refused whole. Its text is safe to show and holds
// nothing of the entry.
type fault struct {
	reason string
	code   contract.Code
	text   string
}
