// Package candidatefilter is the only writer of what clients send: it sanitises
// every offer, answer and candidate of an entry and puts the entry into the
// signal log, so that nothing unsanitised can ever be in it.
//
// Start with Run in service.go; handle_entry.go takes one entry, sanitise.go
// judges its signals one by one, description.go, trickle.go and message.go say
// what may stand in a body, and the files beginning with canonical decide the
// same, without encoding/json, about bodies as edges write them. The grammar and
// the rules are in internal/candidate, internal/sdp and internal/policy.
//
// It promises that an entry goes on under the message id that it came with, that
// what was taken out stands in the entry itself, that what goes on is to the
// byte what would be written from what was understood, and that no frame can end
// the process. It keeps nothing: any number of filters share the work.
//
// It never repairs what it doesn't understand, and never asks who may send what
// to whom: that a signal comes from where its sender is, is for the receiver.
package candidatefilter
