package archtest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	errorpages "caisson.dev/caisson/docs/errors"
)

var (
	quotedCode = regexp.MustCompile("`([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+)`")
	kernelWord = regexp.MustCompile(`\bcaisson\.[a-z]+=`)
	fence      = regexp.MustCompile("(?s)```text\n(.*?)```")
	mdLink     = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// literals are the plain strings in the sources of a folder, without its tests.
func literals(t *testing.T, folder string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, s := range sources(t) {
		if s.folder() != folder || s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					out[text] = true
				}
			}
			return true
		})
	}
	return out
}

// kernelWords are the words with a value that caisson-node reads: its constants
// named arg..., as the kernel line has them.
func kernelWords(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, s := range sources(t) {
		if s.folder() != "internal/cli/node" || s.isTest() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && strings.HasPrefix(v.Names[0].Name, "arg") {
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					out[strings.Trim(lit.Value, `"`)+"="] = true
				}
			}
			return true
		})
	}
	return out
}

// TestGuideNamesCodesThatExist: a person on site looks them up.
func TestGuideNamesCodesThatExist(t *testing.T) {
	found := quotedCode.FindAllStringSubmatch(read(t, "docs/field-guide.md"), -1)
	if len(found) < 12 {
		t.Fatalf("found %d codes in the field guide, need 12 at least", len(found))
	}
	for _, m := range found {
		if _, ok := errorpages.Page(m[1]); !ok {
			t.Errorf("docs/field-guide.md names %s, which has no page", m[1])
		}
	}
}

// TestGuideKnowsTheKernelWords: those in the guide exist, and none is left out.
func TestGuideKnowsTheKernelWords(t *testing.T) {
	exist := kernelWords(t)
	if len(exist) < 6 {
		t.Fatalf("found %d kernel words in the code: the search is broken", len(exist))
	}
	guide := read(t, "docs/field-guide.md")
	for _, word := range kernelWord.FindAllString(guide, -1) {
		if !exist[word] {
			t.Errorf("docs/field-guide.md names %s, which the code does not read", word)
		}
	}
	for word := range exist {
		if !strings.Contains(guide, "| `"+word) {
			t.Errorf("docs/field-guide.md has no row for %s", word)
		}
	}
}

// TestGuideShowsTheRealThing: its screens are golden ones, its menu is the medium's.
func TestGuideShowsTheRealThing(t *testing.T) {
	shots, err := filepath.Glob(filepath.Join(root, "tui/testdata/screens/80x24/*.txt"))
	if err != nil || len(shots) == 0 {
		t.Fatalf("have %d screens, %v", len(shots), err)
	}
	var all string
	for _, name := range shots {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(raw)
	}
	guide := read(t, "docs/field-guide.md")
	shown := fence.FindAllStringSubmatch(guide, -1)
	if len(shown) == 0 {
		t.Fatal("the field guide shows no screen")
	}
	for _, m := range shown {
		if !strings.Contains(all, m[1]) {
			t.Errorf("no screen holds this:\n%s", m[1])
		}
	}
	entries := 0
	for text := range literals(t, "internal/assemble") {
		if strings.HasPrefix(text, "Install, ") {
			entries++
			if !strings.Contains(guide, "| "+text+" |") {
				t.Errorf("docs/field-guide.md has no row for the boot menu's %q", text)
			}
		}
	}
	if entries < 3 {
		t.Errorf("found %d menu entries: the search is broken", entries)
	}
}

// TestDocumentsLinkToWhatIsThere follows links from the documents into the tree.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	docs, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("have %d documents, %v", len(docs), err)
	}
	for _, doc := range append(docs, filepath.Join(root, "README.md")) {
		raw, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mdLink.FindAllStringSubmatch(string(raw), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}
