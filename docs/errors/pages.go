// Package errorpages holds one page for each error code, inside the program, so
// that `caisson explain CODE` works where there is no network and no paper. A
// page is docs/errors/CODE.md: what the code means, why it comes, what to do.
//
// It knows nothing of the codes' meaning; internal/archtest holds pages and
// fault.Define calls together. It is a leaf: it imports nothing of Caisson.
package errorpages

import (
	"embed"
	"sort"
	"strings"
)

//go:embed *.md
var pages embed.FS

// Page is the page of a code, in Markdown; ok is false if there is none. Upper
// or lower case is the same.
func Page(code string) (text string, ok bool) {
	b, err := pages.ReadFile(strings.ToUpper(strings.TrimSpace(code)) + ".md")
	return string(b), err == nil
}

// Codes lists every code that has a page, sorted.
func Codes() []string {
	entries, err := pages.ReadDir(".")
	if err != nil {
		return nil // an embedded folder is always there
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".md"))
	}
	sort.Strings(out)
	return out
}
