package tui

// Role is what a piece of text is, which decides its colour. Colour never says
// anything alone: OK, Warn and Bad stand beside a mark or a word.
type Role int

// The roles.
const (
	Plain Role = iota
	Dim
	Strong
	OK
	Warn
	Bad
	Code
	Banner
	Focus // the row that keys act on
	Input // text that can be typed into
	Glyph // a module of a QR code
)

// Span is a piece of a line.
type Span struct {
	Text string
	Role Role
}

// line is a line to read. One that is too long is wrapped; what follows the
// first row then begins hang columns from the left.
type line struct {
	spans []Span
	hang  int
	bar   *work  // a bar of progress instead of text
	tail  string // at the end of the last row, dim, if that has room
	dim   bool   // left out in large print
}

// Field names a thing on a page that keys act on. Those that can be filled in
// name a value of the Draft as well.
type Field string

// kind is how a field works.
type kind int

const (
	choice kind = iota // one of options
	text               // typed in
	toggle             // on or off
	action             // something to do
)

// field is one thing on a page that keys act on.
type field struct {
	id      Field
	kind    kind
	label   string
	group   string // before the first of several toggles
	form    string // an example, shown behind the input
	width   int    // of the input
	hidden  bool   // what is typed is not shown
	options []option
	// do is what Enter does on an action, and on a choice after choosing; nil
	// on any other means: to the next field.
	do func(Wizard) (Wizard, []Effect)
}

// option is one of the answers to a choice.
type option struct {
	value   string
	label   string
	more    []line // beneath it
	refused string // why it cannot be taken
}

// page is one screen as a value: all that View needs of it.
type page struct {
	title   string
	lines   []line
	square  string // to the right of lines as a QR code, where there is room
	fields  []field
	foot    []line // beneath the fields
	help    []string
	reading bool // the text comes first: Down reads on before it moves
	whole   bool // Enter goes on only when the text's end was shown
}

// A few ways to write lines.

func say(text string) line    { return line{spans: []Span{{text, Plain}}} }
func strong(text string) line { return line{spans: []Span{{text, Strong}}} }
func dim(text string) line    { return line{spans: []Span{{text, Dim}}, dim: true} }

// row is a name and a value in columns.
func row(name string, value ...Span) line {
	return line{spans: append([]Span{{pad(name, column), Dim}}, value...), hang: column}
}

// column is where values begin.
const column = 14

// marks are the words that go with a colour; they are as wide as one another.
var marks = map[Role]string{OK: "[ok] ", Warn: "[!]  ", Bad: "[!!] "}

// marked is a line that begins with the mark of its role.
func marked(r Role, text string) line {
	m := marks[r]
	return line{spans: []Span{{m, r}, {text, r}}, hang: len(m)}
}

func pad(s string, n int) string {
	for len([]rune(s)) < n {
		s += " "
	}
	return s
}

// option finds the option of a value.
func (f field) option(value string) int {
	for i, o := range f.options {
		if o.value == value {
			return i
		}
	}
	return -1
}

// find is the place of a field on the page, or -1.
func (p page) find(id Field) int {
	for i, f := range p.fields {
		if f.id == id {
			return i
		}
	}
	return -1
}
