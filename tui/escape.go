package tui

import (
	"bytes"
	"os"
	"time"

	"github.com/muesli/cancelreader"
)

// A terminal sends an arrow as ESC and more. bubbletea takes an ESC that is alone
// for 50 ms as the key Esc, and cannot be told to wait longer; a BMC or a serial
// line may take longer between the two.

// escSilence is how long such a line may be silent within a key.
const escSilence = 400 * time.Millisecond

// escKey is the key Esc in a form that nothing after it can be taken for a part of.
const escKey = "\x1b[27u"

// readKeys reads from a terminal, and reads on while a key is not whole.
func readKeys(f *os.File, p []byte) (int, error) {
	n, err := f.Read(p)
	for err == nil && n+len(escKey) <= len(p) {
		begun := unfinished(p[:n])
		if begun == 0 {
			break
		}
		more, _ := readWithin(f, escSilence, p[n:]) // an error stays for the next read
		if begun == 1 && (more == 0 || p[n] != '[' && p[n] != 'O') {
			// It was the key Esc; what followed is another one.
			copy(p[n-1:], append([]byte(escKey), p[n:n+more]...))
			return min(len(p), n-1+len(escKey)+more), nil
		}
		if more == 0 {
			break
		}
		n += more
	}
	return n, err
}

// unfinished is how much of a key stands at the end of b: 0 if the last is whole.
func unfinished(b []byte) int {
	at := bytes.LastIndexByte(b, 0x1b)
	if at < 0 {
		return 0
	}
	tail := b[at:]
	switch {
	case len(tail) == 1, len(tail) == 2 && (tail[1] == '[' || tail[1] == 'O'), string(tail) == "\x1b[[": // Linux: F1 is ESC [ [ A
		return len(tail)
	case tail[1] != '[':
		return 0
	}
	for _, c := range tail[2:] { // ECMA-48 5.4: what follows CSI ends with one of @ to ~
		if c < ' ' || c > '?' {
			return 0
		}
	}
	return len(tail)
}

// readWithin is a read that gives up.
func readWithin(f *os.File, d time.Duration, p []byte) (int, error) {
	in, err := cancelreader.NewReader(f)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	defer time.AfterFunc(d, func() { in.Cancel() }).Stop()
	return in.Read(p)
}
