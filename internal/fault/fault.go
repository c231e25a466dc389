// Package fault is the one shape of an error that a person meets: a stable
// code, a sentence with both values ("have X, need Y"), and hints that say what
// to do next. Scripts read the exit status (by Class), reviewers read the code,
// and `caisson explain CODE` prints the page of docs/errors/CODE.md.
//
// A package declares its kinds as package variables with Define; nothing is
// registered at run time. internal/archtest finds every Define in the source
// and demands a page for each. It is a leaf: it imports nothing of Caisson.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Class says whose turn it is, and is the process exit status.
type Class int

const (
	Internal Class = 1 // a defect of Caisson
	Usage    Class = 2 // the command line
	Input    Class = 3 // Spec, Lock, Answers: what a person or an earlier step wrote
	Source   Class = 4 // a place bytes come from: unreachable, or its bytes differ
	Media    Class = 5 // an ISO or bundle: damaged, foreign, not complete
	Machine  Class = 6 // this computer: disk, memory, firmware, missing tool
	Node     Class = 7 // the installed node is not as it should be
	Stopped  Class = 8 // interrupted; run again to go on
)

// Kind is a declared error code. Declare it once, as a package variable.
type Kind struct {
	Code  string // upper-case words joined by hyphens, stable for ever
	Class Class
}

// Define declares a code.
func Define(code string, class Class) Kind { return Kind{Code: code, Class: class} }

// Fault is an error with a code. Its text is "CODE: cannot ...: have X, need Y",
// then one "hint: ..." line for each hint.
type Fault struct {
	Kind
	What  string
	Hints []string
	Cause error
}

// New makes a fault; the text says what could not be done, with both values.
func (k Kind) New(format string, args ...any) *Fault {
	err := fmt.Errorf(format, args...)
	return &Fault{Kind: k, What: err.Error(), Cause: errors.Unwrap(err)}
}

// Hint adds a line that says what to do next, and returns the fault.
func (f *Fault) Hint(format string, args ...any) *Fault {
	f.Hints = append(f.Hints, fmt.Sprintf(format, args...))
	return f
}

// Is tells whether err, or anything it wraps, is of this kind.
func (k Kind) Is(err error) bool {
	for _, f := range All(err) {
		if f.Code == k.Code {
			return true
		}
	}
	return false
}

func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Code + ": " + f.What)
	for _, h := range f.Hints {
		b.WriteString("\nhint: " + h)
	}
	return b.String()
}

func (f *Fault) Unwrap() error { return f.Cause }

// All lists the faults in err, joined errors included, in order.
func All(err error) []*Fault {
	if err == nil {
		return nil
	}
	if f, ok := err.(*Fault); ok {
		return append([]*Fault{f}, All(f.Cause)...)
	}
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		var out []*Fault
		for _, e := range u.Unwrap() {
			out = append(out, All(e)...)
		}
		return out
	case interface{ Unwrap() error }:
		return All(u.Unwrap())
	}
	return nil
}

// ExitStatus is the class of the first fault in err, 1 for any other error, 0 for nil.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	if all := All(err); len(all) > 0 {
		return int(all[0].Class)
	}
	return int(Internal)
}
