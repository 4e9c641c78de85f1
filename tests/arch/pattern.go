package arch

import "strings"

// module is the prefix that all import paths of the repository share.
const module = "github.com/parley-rtc/parley"

// matches reports whether an import path is one that the pattern means; see Rule for the notation.
func matches(pattern, path string) bool {
	if pattern == "std" {
		return isStandard(path)
	}
	if local, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = module + "/" + local
	}
	tree, ok := strings.CutSuffix(pattern, "/...")
	if !ok {
		return path == pattern
	}
	return path == tree || strings.HasPrefix(path, tree+"/")
}

func matchesAny(patterns []string, path string) bool {
	for _, pattern := range patterns {
		if matches(pattern, path) {
			return true
		}
	}
	return false
}

// isStandard tells the standard library by the rule that the go command itself keeps: only its paths have no dot in
// their first element.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// short writes a path of the repository by its folder and leaves any other as it is.
func short(path string) string {
	return strings.TrimPrefix(path, module+"/")
}

// serviceOf is the first element of a folder: the service that owns it.
func serviceOf(folder string) string {
	service, _, _ := strings.Cut(folder, "/")
	return service
}
