package config

import (
	"regexp"
	"strings"
)

// kubernetesVariable matches the service links that Kubernetes puts into every
// container of a namespace with services named parley or parley-something:
// PARLEY_EDGE_PORT, PARLEY_EDGE_SERVICE_HOST, PARLEY_EDGE_PORT_7420_TCP_ADDR...
// A name with two underscores in a row is never one of them.
var kubernetesVariable = regexp.MustCompile(
	`^PARLEY(_[A-Z0-9]+)*_(PORT|SERVICE_HOST|SERVICE_PORT(_[A-Z0-9]+)*|PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$`)

// The variables of the tools, which no section has: a shell that sets them for a
// tool may start a service too.
const (
	VariableAPIKey = variablePrefix + "API_KEY"
	VariableURL    = variablePrefix + "URL"
)

// isForTools reports whether a variable belongs to the tools.
func isForTools(name string) bool { return name == VariableAPIKey || name == VariableURL }

// suggest returns "; did you mean <key>?" with the nearest of known, as show
// writes it, or "" when none is near.
func suggest(given string, known []string, show func(string) string) string {
	nearest, least := "", max(2, len(given)/4)+1
	for _, k := range known {
		if d := editDistance(given, k); d < least {
			nearest, least = k, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "; did you mean " + show(nearest) + "?"
}

// editDistance counts the insertions, deletions and replacements of a byte
// that turn a into b, whatever their case.
func editDistance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
