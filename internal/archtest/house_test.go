package archtest

import (
	"go/ast"
	"go/doc"
	"path"
	"regexp"
	"strings"
	"testing"
)

const (
	mostLines     = 300 // of a file, tests included
	mostMainLines = 30  // of a file of package main in cmd
)

// TestEveryPackageSaysWhatItIs demands a doc comment that begins as the Go
// project asks: "Package x ..." (or "Command x ..." for a program).
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said, all := map[string]bool{}, map[string]string{}
	for _, s := range sources(t) {
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		all[s.folder()] = name
		text := strings.TrimSpace(s.file.Doc.Text())
		if strings.HasPrefix(text, "Package "+name+" ") || name == "main" && len(doc.Synopsis(text)) > 20 {
			said[s.folder()] = true
		}
	}
	for folder, name := range all {
		if !said[folder] {
			t.Errorf("%s has no doc comment that begins with Package %s", folder, name)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		most := mostLines
		if s.file.Name.Name == "main" && path.Dir(s.folder()) == "cmd" && path.Base(s.path) == "main.go" {
			most = mostMainLines
		}
		if s.lines >= most && !ast.IsGenerated(s.file) {
			t.Errorf("%s has %d lines, need less than %d", s.path, s.lines, most)
		}
	}
}

// TestNothingRunsByImport: no init functions. What a program does is in its
// flow, where a reader finds it.
func TestNothingRunsByImport(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function", s.at(f.Pos()))
			}
		}
	}
}

// TestNoLooseEnds: nothing is left for later without an issue of its own.
func TestNoLooseEnds(t *testing.T) {
	marks := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|(?i)not ` + `implemented`)
	for _, s := range sources(t) {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if m := marks.FindString(c.Text); m != "" {
					t.Errorf("%s: %s", s.at(c.Pos()), m)
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok {
				if m := marks.FindString(lit.Value); m != "" {
					t.Errorf("%s: %s", s.at(lit.Pos()), m)
				}
			}
			return true
		})
	}
}

// TestPackageNamesAreNouns: a package is named for what it holds.
func TestPackageNamesAreNouns(t *testing.T) {
	for _, s := range sources(t) {
		switch name := s.file.Name.Name; name {
		case "util", "utils", "common", "helper", "helpers", "misc", "shared", "base":
			t.Errorf("%s: package %s says nothing", s.path, name)
		}
	}
}
