package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// untested are codes that no test names, with the reason. Whoever writes the
// test takes the line out; TestEveryCodeIsTested demands that.
var untested = map[string]string{}

var codeWord = regexp.MustCompile(`[A-Z][A-Z0-9]*(-[A-Z0-9]+)+|\b(STOPPED|INTERRUPTED|USAGE)\b`)

// TestEveryCodeIsTested: a code is named by a test, as text or by the variable
// of its kind, or by a file in testdata. Comments do not count.
func TestEveryCodeIsTested(t *testing.T) {
	all := sources(t)
	named := namedInTestdata(t)
	for _, s := range all {
		if s.isTest() && !beneath(s.folder(), "internal/archtest") {
			maps.Copy(named, namesIn(s))
		}
	}
	var have []string
	for kind, code := range kinds(all) {
		if !named[code] && !named[kind] {
			have = append(have, code)
		}
	}
	if len(have) == len(kinds(all)) {
		t.Fatal("no code is named anywhere: the search is broken")
	}
	for _, code := range have {
		if untested[code] == "" {
			t.Errorf("%s is named in no test and in no testdata", code)
		}
	}
	for code := range untested {
		if !slices.Contains(have, code) {
			t.Errorf("%s is named in a test now: take it out of the list of exceptions", code)
		}
	}
}

// kinds are the variables that hold a code: "bundle.DiskFull" -> "DISK-FULL",
// with the whole folder before the dot.
func kinds(all []source) map[string]string {
	out := map[string]string{}
	for _, s := range all {
		if path.Base(s.path) != "faults.go" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
				return true
			}
			call, ok := spec.Values[0].(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				if code, err := strconv.Unquote(lit.Value); err == nil {
					out[s.folder()+"."+spec.Names[0].Name] = code
				}
			}
			return true
		})
	}
	return out
}

// namesIn are the codes and the kinds' variables that a file speaks of.
func namesIn(s source) map[string]bool {
	folders := map[string]string{} // by the name that the file knows them by
	for _, i := range s.file.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		if folder, ours := strings.CutPrefix(p, module+"/"); ours {
			name := path.Base(folder)
			if i.Name != nil {
				name = i.Name.Name
			}
			folders[name] = folder
		}
	}
	out := map[string]bool{}
	inside := !strings.HasSuffix(s.file.Name.Name, "_test")
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && folders[pkg.Name] != "" {
				out[folders[pkg.Name]+"."+n.Sel.Name] = true
			}
		case *ast.Ident:
			if inside {
				out[s.folder()+"."+n.Name] = true
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				addCodes(out, n.Value)
			}
		}
		return true
	})
	return out
}

func addCodes(to map[string]bool, text string) {
	for _, code := range codeWord.FindAllString(text, -1) {
		to[code] = true
	}
}

func namedInTestdata(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.ToSlash(p), "/testdata/") {
			return err
		}
		raw, err := os.ReadFile(p)
		addCodes(out, string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNamesIn proves the search on a file of its own.
func TestNamesIn(t *testing.T) {
	text := "package x\n\n// COMMENT-ONLY\nimport b \"" + module + "/bundle\"\n\nvar _, _, _ = b.DiskFull, own, \"X: TEXT-CODE: y\"\n"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "x/x_test.go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s := source{path: "x/x_test.go", file: file, fset: fset}
	have := namesIn(s)
	for name, want := range map[string]bool{"bundle.DiskFull": true, "x.own": true, "TEXT-CODE": true, "COMMENT-ONLY": false, "bundle.own": false} {
		if have[name] != want {
			t.Errorf("%s is found: %v, want %v", name, have[name], want)
		}
	}
}
