// Package candidate owns the text of one ICE candidate: the grammar of RFC 8839
// section 5.1 with the TCP extension of RFC 6544, read strictly and written
// again from what was understood.
//
// Start at [Parse], then [Candidate.Append]. What is written has every field
// checked and holds no byte that the grammar of its field does not allow; so a
// parser on the other side, however lenient, finds in it what this one found.
//
// It promises to refuse rather than to repair, to look at no more than
// [MaxBytes], and to allocate nothing for a candidate that it accepts.
//
// It never judges an address (that is package policy), never resolves a name,
// and never forwards an extension that it does not know.
package candidate
