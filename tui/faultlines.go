package tui

import (
	"strings"

	"caisson.dev/caisson/internal/fault"
)

// faultLines is an error as a person reads it: what, both values, what to do.
func faultLines(err error) []line {
	var out []line
	for i, one := range split(err) {
		if i > 0 {
			out = append(out, line{})
		}
		all := fault.All(one)
		if len(all) == 0 {
			out = append(out, marked(Bad, one.Error()))
			continue
		}
		f := all[0]
		out = append(out, marked(Bad, f.Code))
		what, have, need := parts(f.What)
		out = append(out, inset("", what))
		if have != "" {
			out = append(out, inset("have", have), inset("need", need))
		}
		for _, h := range f.Hints {
			out = append(out, inset("do", h))
		}
		out = append(out, inset("more", "at the desk: caisson explain "+f.Code))
	}
	return out
}

// under is what is wrong with a field, beneath it.
func under(err error) []line {
	var out []line
	for _, f := range fault.All(err) {
		what, have, need := parts(f.What)
		at := len(out)
		if have == "" {
			out = append(out, marked(Bad, what))
		} else {
			code := "" // what was typed is mended where it stands; of the rest there is more to read
			if f.Class != fault.Input {
				code = f.Code + ": "
			}
			out = append(out, marked(Bad, code+"have "+have), inset("need", need))
		}
		if have == "" || f.Class == fault.Input {
			out[at].tail = "(" + f.Code + ")" // help is by code
		}
		for _, h := range f.Hints {
			out = append(out, inset("do", h))
		}
	}
	return out
}

// inset is a line beneath a mark: a word, and what it says.
func inset(word, text string) line {
	const left = 5
	word = strings.Repeat(" ", left) + word
	if word != strings.Repeat(" ", left) {
		word = pad(word, left+6)
	}
	return line{spans: []Span{{word, Dim}, {text, Plain}}, hang: len(word)}
}

// parts takes a sentence of the house's form apart: "cannot DO: have X, need Y".
func parts(s string) (what, have, need string) {
	what, rest, ok := strings.Cut(s, ": have ")
	at := strings.LastIndex(rest, ", need ")
	if !ok || at < 0 {
		return s, "", ""
	}
	return what, rest[:at], rest[at+len(", need "):]
}

// split takes joined errors apart.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, split(e)...)
		}
		return out
	}
	return []error{err}
}
