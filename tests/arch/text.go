package arch

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The words below are put together from halves, so that this file passes its own check.
var (
	markerWords = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	skipCalls   = regexp.MustCompile(`\b(t|b|tb|f)\.Sk` + `ip(f|Now)?\(|\b(it|test|describe)\.(sk` + `ip|on` + `ly|to` + `do)\(`)
	placeNames  = regexp.MustCompile(`(^|[^\w./-])/(wo` + `rk|ro` + `ot|fa` + `rm)/|\.\./sha` + `red\b|\.libr` + `ary\b`)
	hostNames   = regexp.MustCompile(`\b(proxy|sum)\.gol` + `ang\b|\bregistry\.npm` + `js\b|\bdeb\.deb` + `ian\b`)
)

// sourceExts are the endings of files that people write code in.
var sourceExts = []string{".go", ".ts", ".js", ".mjs", ".css", ".html", ".sh", ".yml", ".yaml", ".mk"}

// CheckMarkers finds work left for later and tests that don't run.
func CheckMarkers(files []File) []string {
	return findLines(files, isSource, map[*regexp.Regexp]string{
		markerWords: "work left for later belongs in an issue; finish it or say what is so",
		skipCalls:   "a test that skips itself, or its siblings, looks like one that passed",
	})
}

// CheckPlaces finds what is true on one machine only.
func CheckPlaces(files []File) []string {
	return findLines(files, func(File) bool { return true }, map[*regexp.Regexp]string{
		placeNames: "a path of one machine: nobody else has it",
		hostNames:  "the host of a package registry: which one is used is the business of who builds",
	})
}

func isSource(file File) bool {
	base := path.Base(file.Path)
	return slices.Contains(sourceExts, path.Ext(base)) || slices.Contains([]string{"Makefile", "Dockerfile", "run"}, base)
}

// findLines reports every line of the files that one of the expressions matches, with the reason beside it.
func findLines(files []File, in func(File) bool, reasons map[*regexp.Regexp]string) []string {
	var faults []string
	for _, file := range files {
		if !in(file) {
			continue
		}
		number := 0
		for line := range strings.Lines(file.Text) {
			number++
			for expression, reason := range reasons {
				if found := expression.FindString(line); found != "" {
					faults = append(faults, fmt.Sprintf("%s:%d: %q: %s", file.Path, number, strings.TrimSpace(found), reason))
				}
			}
		}
	}
	slices.Sort(faults)
	return faults
}
