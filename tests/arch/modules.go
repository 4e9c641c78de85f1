package arch

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Module is one go.mod, as `go mod edit -json` writes it.
type Module struct {
	Folder    string `json:"-"` // relative to the root of the repository
	Module    struct{ Path string }
	Go        string
	Toolchain string
	Require   []struct{ Path, Version string }
	Replace   []Replacement
}

// A Replacement is one replace line.
type Replacement struct {
	Old, New struct{ Path, Version string }
}

// A Workspace is the go.work, as `go work edit -json` writes it.
type Workspace struct {
	Go        string
	Toolchain string
	Use       []struct{ DiskPath string }
	Replace   []Replacement
}

// LoadModules reads the go.work and every go.mod of the tree.
func LoadModules(ctx context.Context, root string, files []File) (Workspace, []Module, error) {
	var work Workspace
	out, err := run(ctx, root, "go", "work", "edit", "-json")
	if err != nil {
		return work, nil, err
	}
	if err := json.Unmarshal(out, &work); err != nil {
		return work, nil, fmt.Errorf("read go.work: %w", err)
	}
	var modules []Module
	for _, file := range files {
		if path.Base(file.Path) != "go.mod" || strings.Contains(file.Path, "testdata/") {
			continue
		}
		mod := Module{Folder: file.folder()}
		out, err := run(ctx, filepath.Join(root, mod.Folder), "go", "mod", "edit", "-json")
		if err != nil {
			return work, nil, err
		}
		if err := json.Unmarshal(out, &mod); err != nil {
			return work, nil, fmt.Errorf("read %s: %w", file.Path, err)
		}
		modules = append(modules, mod)
	}
	return work, modules, nil
}

// CheckModules holds the modules together: one go line, one version of each dependency, every module in the workspace,
// and replace lines that make each of them stand without it.
func CheckModules(work Workspace, modules []Module) []string {
	faults := checkWorkspace(work, modules)
	for _, mod := range modules {
		if want := module + "/" + mod.Folder; mod.Module.Path != want {
			faults = append(faults, fmt.Sprintf("%s/go.mod: module %s, want %s", mod.Folder, mod.Module.Path, want))
		}
		if mod.Go != work.Go || mod.Toolchain != work.Toolchain {
			faults = append(faults, fmt.Sprintf("%s/go.mod: go %s %s, but go.work has go %s %s: one line everywhere, or the "+
				"modules are built by different rules", mod.Folder, mod.Go, mod.Toolchain, work.Go, work.Toolchain))
		}
		faults = append(faults, mod.checkReplaces()...)
	}
	return append(faults, checkVersions(modules)...)
}

// checkWorkspace compares the use lines of go.work with the modules that there are.
func checkWorkspace(work Workspace, modules []Module) []string {
	var faults []string
	used := map[string]bool{}
	for _, use := range work.Use {
		used[path.Clean(use.DiskPath)] = true
	}
	for _, mod := range modules {
		if !used[mod.Folder] {
			faults = append(faults, fmt.Sprintf("%s isn't used by go.work: nothing builds or tests it", mod.Folder))
		}
	}
	if len(work.Replace) > 0 {
		faults = append(faults, "go.work has replace lines: they hold only inside the workspace, so put them into the go.mod files")
	}
	return faults
}

// checkReplaces wants a replace line for each required module of the repository, by its relative folder, and no other.
func (m Module) checkReplaces() []string {
	var faults []string
	replaced := map[string]bool{}
	for _, line := range m.Replace {
		folder, ours := strings.CutPrefix(line.Old.Path, module+"/")
		want, err := filepath.Rel("/"+m.Folder, "/"+folder)
		if !ours || err != nil || line.Old.Version != "" || line.New.Version != "" || path.Clean(line.New.Path) != filepath.ToSlash(want) {
			faults = append(faults, fmt.Sprintf("%s/go.mod: replace %s => %s: only modules of this repository are replaced, "+
				"each by its relative folder", m.Folder, line.Old.Path, line.New.Path))
			continue
		}
		replaced[line.Old.Path] = true
	}
	for _, need := range m.Require {
		if strings.HasPrefix(need.Path, module+"/") && !replaced[need.Path] {
			faults = append(faults, fmt.Sprintf("%s/go.mod requires %s without a replace line: it can't be built without go.work",
				m.Folder, short(need.Path)))
		}
	}
	return faults
}

// checkVersions wants one version of each dependency, direct or not. The workspace builds with the highest of them all,
// so a module that names a lower one is tested with what it doesn't name.
func checkVersions(modules []Module) []string {
	var faults []string
	type pin struct{ version, folder string }
	pins := map[string]pin{}
	for _, mod := range modules {
		for _, need := range mod.Require {
			if strings.HasPrefix(need.Path, module+"/") {
				continue
			}
			first, ok := pins[need.Path]
			if !ok {
				pins[need.Path] = pin{need.Version, mod.Folder}
			} else if first.version != need.Version {
				faults = append(faults, fmt.Sprintf("%s requires %s %s, but %s requires %s: one version in the whole repository "+
					"(make tidy mends it)", mod.Folder, need.Path, need.Version, first.folder, first.version))
			}
		}
	}
	slices.Sort(faults)
	return faults
}
