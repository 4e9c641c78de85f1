// Package index knows which rooms have members on which edges.
//
// Start with Index. Documents and members' records are told to it as they are
// seen, in any order and more than once; it answers who is where. It holds
// nothing that can't be built again from the buckets, and may be a little
// behind them: whoever acts on it for good must read the keys themselves.
//
// It does no I/O and has no clock. It may be used by many goroutines.
package index
