package spec

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"caisson.dev/caisson/internal/fault"
)

// position is a place in a YAML file, both numbers from 1; zero means not known.
type position struct{ line, column int }

// problem is one thing wrong with one field, before it becomes a fault.
type problem struct {
	kind fault.Kind
	path string // nodes[1].network.address; "" for the whole file
	have string
	need string
	hint string // may be empty
	at   position
}

// problems gathers all that is wrong with one document, so that a person
// mends it once. The codes are those of the document's type.
type problems struct {
	codes
	list []problem
	// settled is how many of list came from reading. A field that could not be
	// read has no value, so what is said of its value afterwards is noise.
	settled int
}

func (p *problems) add(kind fault.Kind, path, have, need, hint string) {
	p.put(problem{kind: kind, path: path, have: have, need: need, hint: hint})
}

// mostProblems is how many are reported: nobody reads more, and a file that is
// something else altogether would give one for each line.
const mostProblems = 100

func (p *problems) put(x problem) {
	if len(p.list) == mostProblems {
		x.have, x.need, x.hint = "this and perhaps more", "the "+fmt.Sprint(mostProblems)+" problems above mended first", ""
	}
	if len(p.list) <= mostProblems {
		p.list = append(p.list, x)
	}
}

// bad reports a value that has the wrong form.
func (p *problems) bad(path, have, need, hint string) { p.add(p.value, path, have, need, hint) }

// clash reports fields that cannot both hold.
func (p *problems) clash(path, have, need, hint string) { p.add(p.conflict, path, have, need, hint) }

// join makes one error of all problems, in the order of the file where places
// are known. where maps paths to places; file is the name to show.
func (p *problems) join(file string, where map[string]position) error {
	list := append([]problem(nil), p.list[:p.settled]...)
	for _, x := range p.list[p.settled:] {
		if !slices.ContainsFunc(p.list[:p.settled], func(read problem) bool { return within(x.path, read.path) }) {
			list = append(list, x)
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].place(where), list[j].place(where)
		if a.line != b.line {
			return a.line < b.line
		}
		return a.column < b.column
	})
	errs := make([]error, 0, len(list))
	for _, x := range list {
		errs = append(errs, x.fault(file, where))
	}
	return errors.Join(errs...)
}

func (x problem) fault(file string, where map[string]position) *fault.Fault {
	thing := x.path
	if thing == "" {
		thing = "this file"
	}
	verb := "use"
	if file != "" {
		place := file
		if at := x.place(where); at.line > 0 {
			place = fmt.Sprintf("%s:%d:%d", file, at.line, at.column)
		}
		verb, thing = "read", place+": "+thing
		if x.path == "" {
			thing = place
		}
	}
	f := x.kind.New("cannot %s %s: have %s, need %s", verb, thing, x.have, x.need)
	if x.hint != "" {
		f.Hint("%s", x.hint)
	}
	return f
}

// place is where the problem is, if not where its path is.
func (x problem) place(where map[string]position) position {
	if x.at.line > 0 {
		return x.at
	}
	return locate(where, x.path)
}

// locate finds the place of a path, or of the nearest parent that is in the
// file: a missing field is reported where its parent begins.
func locate(where map[string]position, path string) position {
	for {
		if at, ok := where[path]; ok {
			return at
		}
		if path == "" {
			return position{}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			cut = 0
		}
		path = path[:cut]
	}
}

// quoted shows a value that a person wrote: short, on one line, with quotes.
func quoted(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// within tells whether path is outer or lies below it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// child is the path of a field below path.
func child(path, name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r < '-' || r > 'z' }) || name == "" {
		return path + "[" + quoted(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// item is the path of a list item.
func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
