// Package load holds the bench: one driver that does the same work against
// Parley and against what people use instead of it.
//
// README.md says what is measured and how. Start with cmd/bench, then bench
// (what is run, what counts), target (the systems), driver (the clients),
// dialect (what they speak) and machine (processes and their use of the
// processor). exodus is another run: how long it takes until everybody is back whose
// edge was killed. The bench needs Linux; elsewhere these packages are empty.
package load
