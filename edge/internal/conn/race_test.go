//go:build race

package conn

// poolMisses is how many allocations a test must put up with that no code makes:
// under the race detector sync.Pool drops one of four, to show who relies on it.
const poolMisses = 2
