// Package roster is what an edge knows of one room: its members, where they
// are, what they show, at which revision.
//
// Start with Roster. Documents (Load), events (Apply) and presence (Update)
// change it; each says what changed, in the order in which clients must hear
// of it.
//
// It promises that a revision is never applied twice or skipped, and that an
// older presence never replaces a newer one. It does no I/O and has no clock;
// its owner serialises access.
package roster
