package arch

import (
	"fmt"
	"regexp"
	"strings"
)

var targetLine = regexp.MustCompile(`^([a-z][a-z-]*):[^=]*$`)

// CheckMakefile wants a text for every target, so that `make help` leaves none out.
func CheckMakefile(text string) []string {
	var faults []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		target := targetLine.FindStringSubmatch(line)
		if target != nil && !strings.Contains(line, "## ") {
			faults = append(faults, fmt.Sprintf("make %s has no `## text`, so make help doesn't list it", target[1]))
		}
	}
	return faults
}
