//go:build !race

package conn

// poolMisses is how many allocations a test must put up with that no code makes.
const poolMisses = 0
