// Package canonical owns the reading of JSON in the one form in which our edge
// writes the bodies of signals: known members in a known order, no space between
// them, no escapes where none are needed.
//
// Start at [Reader]. Each method cuts what it names off the front of a borrowed
// text and reports whether it was there; so a caller spells the form of a body
// out, member by member, and a body that is in another form stops it.
//
// It promises to take nothing that encoding/json doesn't take, and to find in it
// what that finds, without an allocation. It never says what is wrong with a
// text: whoever wants to know asks encoding/json.
package canonical
