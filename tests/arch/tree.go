package arch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A File is one text file of the repository. Path is relative to the root, with slashes.
type File struct {
	Path string
	Text string
}

// LoadTree reads every text file that git tracks or would track. Files with a NUL byte aren't text and are left out.
func LoadTree(ctx context.Context, root string) ([]File, error) {
	out, err := run(ctx, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	var files []File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed and not yet committed
		}
		if err != nil {
			return nil, fmt.Errorf("read the tree: %w", err)
		}
		if !bytes.ContainsRune(text, 0) {
			files = append(files, File{Path: name, Text: string(text)})
		}
	}
	if len(files) == 0 {
		return nil, errors.New("git knows no file of the repository")
	}
	return files, nil
}

func (f File) folder() string { return path.Dir(f.Path) }
func (f File) isGo() bool     { return path.Ext(f.Path) == ".go" && !strings.Contains(f.Path, "testdata/") }
func (f File) isTest() bool   { return strings.HasSuffix(f.Path, "_test.go") }

// A Source is a Go file with its syntax tree.
type Source struct {
	File
	AST  *ast.File
	fset *token.FileSet
}

// ParseSources parses the Go files among the files; test data isn't source.
func ParseSources(files []File) ([]Source, error) {
	var sources []Source
	for _, file := range files {
		if !file.isGo() {
			continue
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file.Path, file.Text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse the tree: %w", err)
		}
		sources = append(sources, Source{File: file, AST: tree, fset: fset})
	}
	return sources, nil
}

// at is the place of a node, as compilers write it.
func (s Source) at(node ast.Node) string {
	return fmt.Sprintf("%s:%d", s.Path, s.fset.Position(node.Pos()).Line)
}

// mentions returns every use of a name of an imported package, such as time.Now, called or not; name decides which.
func (s Source) mentions(importPath string, name func(string) bool) []*ast.SelectorExpr {
	local := s.importName(importPath)
	if local == "" {
		return nil
	}
	var found []*ast.SelectorExpr
	ast.Inspect(s.AST, func(node ast.Node) bool {
		if sel, ok := node.(*ast.SelectorExpr); ok && isSelector(sel, local, name) {
			found = append(found, sel)
		}
		return true
	})
	return found
}

func isSelector(sel *ast.SelectorExpr, pkg string, name func(string) bool) bool {
	ident, ok := sel.X.(*ast.Ident)
	return ok && ident.Name == pkg && name(sel.Sel.Name)
}

// importName is the name by which the file knows an import, and nothing when it doesn't import it.
func (s Source) importName(importPath string) string {
	for _, spec := range s.AST.Imports {
		if strings.Trim(spec.Path.Value, `"`) != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}
