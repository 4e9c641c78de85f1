// Package history writes down what anybody saw of a room's membership, and checks
// that there is one order of changes which explains all of it.
//
// Start with Log. Its checks are: every revision is one change, and the same for
// everybody; who follows the room misses none and sees none twice; each roster is
// what the changes before it make of it; and the order is linearizable (porcupine):
// what had been answered before another call began stands before it.
//
// It is pure: it is told the time.
package history
