package arch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckImports holds every package to every rule that is about it and returns a sentence for each broken one.
func CheckImports(rules []Rule, pkgs []Package) []string {
	var faults []string
	for _, pkg := range pkgs {
		for _, rule := range rules {
			if !matchesAny(rule.Where, pkg.ImportPath) || matchesAny(rule.Except, pkg.ImportPath) {
				continue
			}
			for _, path := range rule.refused(pkg.Imports) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", pkg.folder(), short(path), rule.Why))
			}
			if !rule.Tests {
				continue
			}
			for _, path := range rule.refused(pkg.testImports()) {
				faults = append(faults, fmt.Sprintf("the tests of %s import %s: %s", pkg.folder(), short(path), rule.Why))
			}
		}
	}
	return faults
}

// refused returns those of the imports that the rule doesn't let pass.
func (r Rule) refused(imports []string) []string {
	var refused []string
	for _, path := range imports {
		if matchesAny(r.Ban, path) || r.Allow != nil && !matchesAny(r.Allow, path) {
			refused = append(refused, path)
		}
	}
	return refused
}

// CheckLinks holds every program to what must not be linked into it.
func CheckLinks(rules []LinkRule, pkgs []Package) []string {
	var faults []string
	for _, pkg := range pkgs {
		if pkg.Name != "main" {
			continue
		}
		if pkg.Incomplete {
			faults = append(faults, fmt.Sprintf("the program %s doesn't build, so nobody can tell what it links", pkg.folder()))
		}
		for _, rule := range rules {
			if !matchesAny(rule.Where, pkg.ImportPath) || matchesAny(rule.Except, pkg.ImportPath) {
				continue
			}
			for _, path := range pkg.Deps {
				if matchesAny(rule.Ban, path) {
					faults = append(faults, fmt.Sprintf("the program %s links %s: %s", pkg.folder(), short(path), rule.Why))
				}
			}
		}
	}
	return faults
}

// PureFolders lists, in order, the folders of the pure packages: the services' internal packages that aren't declared
// adapters, and what of the shared packages is declared pure.
func PureFolders(pkgs []Package) []string {
	found := map[string]bool{}
	for _, pkg := range pkgs {
		owner := internalOwner(pkg.folder())
		if owner != "" && adapters[owner] == "" || slices.Contains(sharedPure, pkg.folder()) {
			found[pkg.folder()] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// internalOwner is the folder service/internal/name that a folder is or lies in, and nothing for any other folder.
func internalOwner(folder string) string {
	parts := strings.Split(folder, "/")
	if len(parts) < 3 || parts[1] != "internal" || !slices.Contains(services, parts[0]) {
		return ""
	}
	return strings.Join(parts[:3], "/")
}
