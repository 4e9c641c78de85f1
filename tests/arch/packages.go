package arch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
)

// A Package is what the go command knows of one package of the workspace. Paths are full import paths.
type Package struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string // everything that a build of it links
	Incomplete   bool     // whether a package is missing or broken, so that Deps can't be believed
}

// folder is the package's place in the repository.
func (p Package) folder() string { return short(p.ImportPath) }

// testImports are the imports of the package's test files, its own package left out.
func (p Package) testImports() []string {
	imports := slices.Concat(p.TestImports, p.XTestImports)
	slices.Sort(imports)
	return slices.DeleteFunc(slices.Compact(imports), func(path string) bool { return path == p.ImportPath })
}

// LoadPackages asks the go command for every package of the workspace at root, for the platform it runs on. Packages
// that don't build are among them: what they import stands in their source.
func LoadPackages(ctx context.Context, root string) ([]Package, error) {
	out, err := run(ctx, root, "go", "list", "-e",
		"-json=ImportPath,Name,Imports,TestImports,XTestImports,Deps,Incomplete", "work")
	if err != nil {
		return nil, err
	}
	var pkgs []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg Package
		err := dec.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		pkgs = append(pkgs, pkg)
	}
	if len(pkgs) == 0 {
		return nil, errors.New("go list found no package in the workspace")
	}
	return pkgs, nil
}

// run starts a program in a folder and returns what it prints; its error holds what the program complained of.
func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v in %s: %w\n%s", name, args, dir, err, complaint.Bytes())
	}
	return out, nil
}
