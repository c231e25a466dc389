package golden

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
)

// Beside is what many variants of a tree have that a base has not: each difference
// once, with the variants that share it, so that all of them fit into one file that
// a person can read. A variant is a kind (a role with its options) in a version.
type Beside struct {
	versions map[string][]string            // of each kind, as they came
	kinds    []string                       // as they came
	shared   map[string]map[string][]string // "path\ndifference" -> kind -> versions
}

// Add compares a variant's files with the base's. The keys are paths, with whatever
// else of a file counts.
func (b *Beside) Add(kind, version string, base, tree map[string]string) {
	if b.shared == nil {
		b.versions, b.shared = map[string][]string{}, map[string]map[string][]string{"": {}}
	}
	if !slices.Contains(b.kinds, kind) {
		b.kinds = append(b.kinds, kind)
	}
	b.versions[kind] = append(b.versions[kind], version)
	paths := maps.Clone(base)
	maps.Copy(paths, tree)
	same := true
	for path := range paths {
		old, was := base[path]
		now, is := tree[path]
		if was == is && old == now {
			continue
		}
		key := path + "\n" + difference(old, now)
		if !is {
			key = path + "\ngone\n"
		}
		same = false
		if b.shared[key] == nil {
			b.shared[key] = map[string][]string{}
		}
		b.shared[key][kind] = append(b.shared[key][kind], version)
	}
	if same {
		b.shared[""][kind] = append(b.shared[""][kind], version)
	}
}

// difference is a unified one without the names.
func difference(old, now string) string {
	d := string(diff.Diff("", []byte(old), "", []byte(now)))
	if _, hunks, ok := strings.Cut(d, "\n@@"); ok {
		return "@@" + hunks
	}
	return d
}

// Archive lists each difference: the variants that have it, an empty line, the
// difference. Above them stand the variants that have none.
func (b *Beside) Archive(comment string) []byte {
	a := txtar.Archive{Comment: []byte(comment + "\nWithout a difference:\n" + b.who(b.shared[""]))}
	for _, key := range slices.SortedFunc(maps.Keys(b.shared), func(x, y string) int {
		xPath, _, _ := strings.Cut(x, "\n")
		yPath, _, _ := strings.Cut(y, "\n")
		if c := strings.Compare(xPath, yPath); c != 0 {
			return c
		}
		return strings.Compare(b.who(b.shared[x])+x, b.who(b.shared[y])+y)
	}) {
		if path, text, ok := strings.Cut(key, "\n"); ok {
			a.Files = append(a.Files, txtar.File{Name: path, Data: []byte(b.who(b.shared[key]) + "\n" + text)})
		}
	}
	return txtar.Format(&a)
}

// who names variants, a line for each kind.
func (b *Beside) who(versions map[string][]string) string {
	var out bytes.Buffer
	for _, kind := range b.kinds {
		switch list := versions[kind]; {
		case len(list) > 1 && len(list) == len(b.versions[kind]):
			fmt.Fprintf(&out, "%s: every version (%d)\n", kind, len(list))
		case len(list) > 0:
			fmt.Fprintf(&out, "%s: %s\n", kind, strings.Join(list, " "))
		}
	}
	return out.String()
}
