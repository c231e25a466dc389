package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	errorpages "caisson.dev/caisson/docs/errors"
)

var codeForm = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$`)

// defined finds every call of fault.Define in the product: code -> where.
func defined(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Define" || len(call.Args) != 2 {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "fault" {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the code is not a plain string", s.at(call.Pos()))
				return true
			}
			code, err := strconv.Unquote(lit.Value)
			if err != nil || !codeForm.MatchString(code) {
				t.Errorf("%s: %s is not of upper-case words joined by hyphens", s.at(call.Pos()), lit.Value)
			}
			out[code] = append(out[code], s.at(call.Pos()))
			return true
		})
	}
	if len(out) < 10 {
		t.Fatalf("found %d codes: the search is broken", len(out))
	}
	return out
}

func TestCodesAreUnique(t *testing.T) {
	for code, places := range defined(t) {
		if len(places) > 1 {
			t.Errorf("%s is defined %d times: %s", code, len(places), strings.Join(places, ", "))
		}
	}
}

// TestCodesAreDeclaredInOnePlace: a reader finds a package's codes in faults.go.
func TestCodesAreDeclaredInOnePlace(t *testing.T) {
	for _, places := range defined(t) {
		for _, at := range places {
			if !strings.Contains(at, "/faults.go:") {
				t.Errorf("%s declares a code, need it in the package's faults.go", at)
			}
		}
	}
}

func TestEveryCodeHasAPage(t *testing.T) {
	codes := defined(t)
	for code, places := range codes {
		if _, ok := errorpages.Page(code); !ok {
			t.Errorf("%s (%s) has no page docs/errors/%s.md", code, places[0], code)
		}
	}
	for _, code := range errorpages.Codes() {
		if codes[code] == nil {
			t.Errorf("docs/errors/%s.md is the page of no code", code)
		}
	}
}

// TestPagesAreForPeople checks the form of each page: its title, what it means,
// what to do, and that it fits a screen.
func TestPagesAreForPeople(t *testing.T) {
	for _, code := range errorpages.Codes() {
		text, _ := errorpages.Page(code)
		name := "docs/errors/" + code + ".md"
		if !strings.HasPrefix(text, "# "+code+"\n") {
			t.Errorf("%s does not begin with # %s", name, code)
		}
		for _, section := range []string{"## What it means", "## What to do"} {
			if !strings.Contains(text, "\n"+section+"\n") {
				t.Errorf("%s has no section %q", name, section)
			}
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) > 40 {
			t.Errorf("%s has %d lines, need a screen at most", name, len(lines))
		}
	}
}

func TestPageIsFoundInAnyCase(t *testing.T) {
	want, ok := errorpages.Page("SPEC-VALUE")
	if got, _ := errorpages.Page(" spec-value\n"); !ok || got != want {
		t.Error("a page is not found by its code in lower case")
	}
	if _, ok := errorpages.Page("../errors/SPEC-VALUE"); ok {
		t.Error("a path is taken for a code")
	}
	entries, err := os.ReadDir(filepath.Join(root, "docs", "errors"))
	if err != nil {
		t.Fatal(err)
	}
	if len(errorpages.Codes()) != len(entries)-1 {
		t.Errorf("have %d pages in the program and %d files beside pages.go", len(errorpages.Codes()), len(entries)-1)
	}
}
