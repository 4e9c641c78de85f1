// Package history writes down what anybody saw of a room's membership, and checks
// that there is one order of changes which explains all of it.
//
// Start with Log. Its checks are: every revision is one change, and the same for
// everybody; nobody sees one twice or out of order; each read document is what the
// changes before it make of it; and the order is linearizable (porcupine):
// what had been answered before another call began stands before it.
//
// It is pure: it is told the time.
package history
