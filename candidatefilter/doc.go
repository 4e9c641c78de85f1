// Package candidatefilter is the only writer of what clients send: it sanitises
// every offer, answer and candidate of an entry and puts the entry into the
// signal log, so that nothing unsanitised can ever be in it.
//
// Start with Run in service.go; handle_entry.go takes one entry, sanitise.go one
// signal. The grammar and the rules are in internal/candidate, internal/sdp and
// internal/policy.
//
// It promises that an entry goes on under the message id that it came with, that
// what was taken out stands in the entry itself, and that no frame can end the
// process. It keeps nothing: any number of filters share the work.
package candidatefilter
