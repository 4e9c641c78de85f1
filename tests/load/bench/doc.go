// Package bench decides what the bench runs, and what its numbers say.
//
// Start with plan.go (what is run), then bench.go (in which order) and the three
// kinds of work: relay.go (rates), climb.go (the highest rate) and idle.go
// (joins and memory). summary.go makes medians of them, figures.go compares them
// with their limits, table.go and picture.go show them.
//
// It promises that systems take turns, that only one runs at a time, and that a
// system which broke its word (see driver.Ledger) has no figure.
package bench
