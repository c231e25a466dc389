package tui

import (
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
)

var (
	testInput   = fault.Define("TEST-INPUT", fault.Input)
	testMachine = fault.Define("TEST-MACHINE", fault.Machine)
)

// TestCodeOfAField: help is by code, so that what is wrong with a field names its
// code: ahead of what is no slip of the keys, else dim at the end of the row, where
// that has room. It never costs a row or pushes a value aside.
func TestCodeOfAField(t *testing.T) {
	slip := testInput.New("cannot use name: have %q, need 1 to 63 of a-z", "Edge_1")
	for name, x := range map[string]struct {
		err   error
		width int
		want  []string
	}{
		"room":         {slip, 60, []string{`[!!] have "Edge_1"  (TEST-INPUT)`, `     need  1 to 63 of a-z`}},
		"just enough":  {slip, 32, []string{`[!!] have "Edge_1"  (TEST-INPUT)`, `     need  1 to 63 of a-z`}},
		"no room":      {slip, 31, []string{`[!!] have "Edge_1"`, `     need  1 to 63 of a-z`}},
		"wrapped":      {testInput.New("cannot use it: have one two three four five six, need it"), 34, []string{"[!!] have one two three four five", "     six  (TEST-INPUT)", "     need  it"}},
		"one sentence": {testInput.New("no such thing"), 60, []string{"[!!] no such thing  (TEST-INPUT)"}},
		"not a slip":   {testMachine.New("cannot use it: have a, need b"), 60, []string{"[!!] TEST-MACHINE: have a", "     need  b"}},
	} {
		var got []string
		for _, l := range under(x.err) {
			for _, row := range wrap(l, x.width, true) {
				got = append(got, flat(row))
				if last := row[len(row)-1]; strings.HasSuffix(last.Text, "(TEST-INPUT)") && last.Role != Dim {
					t.Errorf("%s: the code is not dim", name)
				}
			}
		}
		if strings.Join(got, "\n") != strings.Join(x.want, "\n") {
			t.Errorf("%s: have\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(x.want, "\n"))
		}
	}
}
