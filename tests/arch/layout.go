package arch

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Lines that a file may have. One concept fits; what doesn't fit is two.
const (
	maxLines     = 400
	maxTestLines = 700
)

// vagueNames say nothing of what a package owns, so everything ends up in it.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "type", "types", "base", "misc", "lib"}

var generatedLine = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// CheckPackageDocs wants a doc.go with the package comment in every folder of Go files; a program has its comment in
// any file.
func CheckPackageDocs(sources []Source) []string {
	byFolder := map[string][]Source{}
	for _, src := range sources {
		byFolder[src.folder()] = append(byFolder[src.folder()], src)
	}
	var faults []string
	for _, folder := range slices.Sorted(maps.Keys(byFolder)) {
		if !slices.ContainsFunc(byFolder[folder], documents) {
			faults = append(faults, fmt.Sprintf("%s has no package comment in a doc.go: say what the package owns, where "+
				"to start reading, what it promises and what it never does", folder))
		}
	}
	return faults
}

// documents reports whether the file is the one that a reader of its package starts with.
func documents(src Source) bool {
	if src.AST.Doc == nil || strings.TrimSpace(src.AST.Doc.Text()) == "" {
		return false
	}
	return src.AST.Name.Name == "main" || path.Base(src.Path) == "doc.go"
}

// CheckNames refuses vague names for packages and for folders with packages in them.
func CheckNames(sources []Source) []string {
	faults := map[string]bool{}
	for _, src := range sources {
		name := strings.TrimSuffix(src.AST.Name.Name, "_test")
		for _, word := range append(strings.Split(src.folder(), "/"), name) {
			if slices.Contains(vagueNames, word) {
				faults[fmt.Sprintf("%s: %q is no name for a package: name what it owns, a noun of the domain", src.folder(), word)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(faults))
}

// CheckLengths refuses files with too many lines, except generated ones and those that allowed names with a reason. An
// entry of allowed that is no longer needed is a fault, too.
func CheckLengths(files []File, allowed map[string]string) []string {
	var faults []string
	needed := map[string]bool{}
	for _, file := range files {
		limit := lineLimit(file)
		lines := strings.Count(file.Text, "\n")
		if limit == 0 || lines <= limit || generatedLine.MatchString(file.Text) {
			continue
		}
		needed[file.Path] = true
		if allowed[file.Path] == "" {
			faults = append(faults, fmt.Sprintf("%s has %d lines, at most %d: one concept a file, so this is more than one",
				file.Path, lines, limit))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		if !needed[name] {
			faults = append(faults, fmt.Sprintf("%s no longer needs its exception from the length of files: remove it", name))
		}
	}
	return faults
}

// lineLimit is the most lines a file may have, and 0 for files that aren't source.
func lineLimit(file File) int {
	if strings.Contains(file.Path, "testdata/") {
		return 0
	}
	switch base := path.Base(file.Path); {
	case strings.HasSuffix(base, "_test.go"), strings.Contains(base, ".test."):
		return maxTestLines
	case slices.Contains([]string{".go", ".ts", ".js", ".mjs"}, path.Ext(base)):
		return maxLines
	}
	return 0
}
