// Package arch holds the repository to its own rules: who may import whom, which packages are pure, what a package and
// a file must look like, and what must not be in the tree. The rules are data in rules.go, each with the reason that a
// failure prints; start there.
//
// Every rule is checked twice: against the repository, and against small made-up trees that break it, so that a rule
// which can no longer fail is found out. An exception is an entry of a table in rules.go with its reason, and one that
// is no longer needed fails as well.
//
// The package reads source and asks `go list`; it never builds, starts or changes anything, and nothing imports it.
package arch
