package arch

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	namedTests = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	goTests    = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
)

// CheckProofs finds tests that a page of docs names and that aren't there.
func CheckProofs(files []File) []string {
	there := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file.Path, "_test.go") {
			for _, found := range goTests.FindAllStringSubmatch(file.Text, -1) {
				there[found[1]] = true
			}
		}
	}
	var faults []string
	for _, file := range files {
		if !strings.HasPrefix(file.Path, "docs/") || !strings.HasSuffix(file.Path, ".md") {
			continue
		}
		for _, found := range namedTests.FindAllStringSubmatch(file.Text, -1) {
			if !there[found[1]] {
				faults = append(faults, fmt.Sprintf("%s: %s isn't there: a promise is only as good as the test that it names", file.Path, found[1]))
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}
