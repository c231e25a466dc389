package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "caisson.dev/caisson"
)

// source is one Go file of the tree, with its tests.
type source struct {
	path  string // from the root of the tree, slashes
	lines int
	file  *ast.File
	fset  *token.FileSet
}

// folder is the package's folder, "." for the root.
func (s source) folder() string { return filepath.ToSlash(filepath.Dir(s.path)) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at is a position in the file, to click on.
func (s source) at(p token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(p).Line)
}

// imports lists what the file imports.
func (s source) imports() []string {
	var out []string
	for _, i := range s.file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err == nil {
			out = append(out, path)
		}
	}
	return out
}

// sources parses every Go file of the tree. Folders that the go command passes
// over (testdata, names that begin with a dot or _) are passed over here.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := parseSource(path)
		out = append(out, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found %d Go files below %s: the tree is not here", len(out), root)
	}
	return out
}

func parseSource(path string) (source, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, raw, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	rel, err := filepath.Rel(root, path)
	return source{path: filepath.ToSlash(rel), lines: strings.Count(string(raw), "\n"), file: file, fset: fset}, err
}

// beneath tells whether folder is parent or lies below it.
func beneath(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}
