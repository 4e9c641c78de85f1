package arch

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// root is the repository, two folders up from where the go command runs this package's tests.
var root = filepath.Join("..", "..")

func TestRepository_Imports(t *testing.T) {
	pkgs := packages(t)
	report(t, CheckImports(importRules(PureFolders(pkgs)), pkgs))
}

func TestRepository_Links(t *testing.T) {
	report(t, CheckLinks(linkRules, packages(t)))
}

func TestRepository_Purity(t *testing.T) {
	report(t, CheckClock(sources(t), PureFolders(packages(t))))
}

func TestRepository_Sleeps(t *testing.T) {
	report(t, CheckSleeps(sources(t)))
}

func TestRepository_Labels(t *testing.T) {
	report(t, CheckLabels(sources(t)))
}

func TestRepository_Packages(t *testing.T) {
	report(t, CheckPackageDocs(sources(t)))
	report(t, CheckNames(sources(t)))
}

func TestRepository_Text(t *testing.T) {
	files := tree(t)
	report(t, CheckLengths(files, longFiles))
	report(t, CheckMarkers(files))
	report(t, CheckPlaces(files))
	report(t, CheckProofs(files))
}

func TestRepository_Modules(t *testing.T) {
	work, modules, err := LoadModules(t.Context(), root, tree(t))
	if err != nil {
		t.Fatal(err)
	}
	report(t, CheckModules(work, modules))
}

func TestRepository_Makefile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	report(t, CheckMakefile(string(text)))
}

// TestRepository_Tables finds entries of the tables that are about nothing any more, which would hide what comes later
// under the same name.
func TestRepository_Tables(t *testing.T) {
	folders := map[string]bool{}
	for _, pkg := range packages(t) {
		folders[pkg.folder()] = true
	}
	for folder := range adapters {
		if !folders[folder] {
			t.Errorf("%s is declared an adapter and isn't there: remove it from the table", folder)
		}
	}
	for _, folder := range sharedPure {
		if !folders[folder] {
			t.Errorf("%s is declared pure and isn't there: remove it from the table", folder)
		}
	}
	for folder := range pureExtras {
		if !folders[folder] {
			t.Errorf("%s is granted a library and isn't there: remove it from the table", folder)
		}
	}
	for _, service := range services {
		if !folders[service] || !folders[service+"/cmd/"+service] {
			t.Errorf("the service %s or its program %[1]s/cmd/%[1]s isn't there", service)
		}
	}
}

// The repository is read once for all tests.
var (
	loadPackages = sync.OnceValues(func() ([]Package, error) { return LoadPackages(context.Background(), root) })
	loadTree     = sync.OnceValues(func() ([]File, error) { return LoadTree(context.Background(), root) })
)

func packages(t *testing.T) []Package {
	t.Helper()
	return must(t, loadPackages)
}

func tree(t *testing.T) []File {
	t.Helper()
	return must(t, loadTree)
}

func sources(t *testing.T) []Source {
	t.Helper()
	return must(t, func() ([]Source, error) { return ParseSources(tree(t)) })
}

func must[T any](t *testing.T, load func() (T, error)) T {
	t.Helper()
	value, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, fault := range faults {
		t.Error(fault)
	}
	if len(faults) > 0 {
		t.Log("the rules and their exceptions stand in tests/arch/rules.go")
	}
}
