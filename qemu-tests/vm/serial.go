package vm

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
)

// Serial is the text of a serial line, readable: escape sequences (ECMA-48),
// carriage returns and other control bytes are taken out on the way in.
// Firmware and loaders paint with them; the raw bytes are in SerialLog.
type Serial struct {
	mu    sync.Mutex
	text  strings.Builder
	state escape
	more  chan struct{}
	end   error
}

var errSerialEnded = errors.New("the serial line was closed")

// NewSerial has no text yet.
func NewSerial() *Serial { return &Serial{more: make(chan struct{})} }

// Read takes bytes from r until it ends.
func (s *Serial) Read(r io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		s.mu.Lock()
		for _, b := range buf[:n] {
			if t, ok := s.state.text(b); ok {
				s.text.WriteByte(t)
			}
		}
		if err != nil {
			s.end = errSerialEnded
		}
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Text is all so far.
func (s *Serial) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Tail is the last n lines that are not blank.
func (s *Serial) Tail(n int) string {
	var kept []string
	for _, line := range strings.Split(s.Text(), "\n") {
		if line = strings.TrimRight(line, " \t"); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept[max(0, len(kept)-n):], "\n")
}

// Wait gives the first match within one line at or behind the byte offset from,
// and the offset behind that match. A line need not be ended yet: prompts are not.
func (s *Serial) Wait(ctx context.Context, from int, re *regexp.Regexp) (string, int, error) {
	for {
		s.mu.Lock()
		text, end, more := s.text.String(), s.end, s.more
		s.mu.Unlock()
		for from <= len(text) {
			line, _, whole := strings.Cut(text[from:], "\n")
			if at := re.FindStringIndex(line); at != nil {
				return line[at[0]:at[1]], from + at[1], nil
			}
			if !whole {
				break
			}
			from += len(line) + 1
		}
		if end != nil {
			return "", from, end
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", from, context.Cause(ctx)
		}
	}
}

// escape is the state of a terminal that shows nothing but text.
type escape int

const (
	plain   escape = iota
	escaped        // behind ESC
	control        // CSI: parameters until a final byte 0x40-0x7e
	command        // OSC, DCS, APC, PM: until BEL or ESC \
	charset        // ESC ( and its like: one more byte
)

// text gives what b adds to the text, if anything, and moves on. Putting the
// cursor elsewhere (CSI H) begins a new line: so menus stay readable.
func (e *escape) text(b byte) (byte, bool) {
	switch {
	case b == 0x1b:
		*e = escaped
	case *e == escaped:
		switch b {
		case '[':
			*e = control
		case ']', 'P', '_', '^':
			*e = command
		case '(', ')', '*', '+', '#', '%':
			*e = charset
		default:
			*e = plain
		}
	case *e == control:
		if b >= 0x40 && b <= 0x7e {
			*e = plain
			return '\n', b == 'H'
		}
	case *e == command:
		if b == 0x07 {
			*e = plain
		}
	case *e == charset:
		*e = plain
	default:
		return b, b == '\n' || b == '\t' || b >= ' ' && b != 0x7f
	}
	return 0, false
}
