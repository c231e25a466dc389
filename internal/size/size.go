// Package size holds numbers of bytes as a type, so that a number without a
// unit never meets one with another. It reads "64 GiB", "1.5GiB" or "4096" and
// refuses decimal units (GB), which disk vendors and tools read differently.
// It is a leaf: it imports nothing of Caisson.
package size

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes.
type Bytes int64

// The binary units (IEC 80000-13).
const (
	KiB Bytes = 1 << (10 * (iota + 1))
	MiB
	GiB
	TiB
)

var units = []struct {
	name string
	unit Bytes
}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1}}

// Parse reads a number with an optional unit of B, KiB, MiB, GiB or TiB.
func Parse(s string) (Bytes, error) {
	text := strings.TrimSpace(s)
	unit := Bytes(1)
	for _, u := range units {
		if t, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = strings.TrimSpace(t), u.unit
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) || n*float64(unit) >= math.MaxInt64 {
		return 0, fmt.Errorf("cannot read size %q: want a number and B, KiB, MiB, GiB or TiB, as in 64 GiB", s)
	}
	if whole := n * float64(unit); whole != math.Trunc(whole) {
		return 0, fmt.Errorf("cannot read size %q: it is not a whole number of bytes", s)
	}
	return Bytes(n * float64(unit)), nil
}

// String shows the size with one decimal in the largest unit it fills.
func (b Bytes) String() string {
	for _, u := range units {
		if b >= u.unit && u.unit > 1 {
			return fmt.Sprintf("%.1f %s", float64(b)/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%d B", int64(b))
}

// AlignUp is the smallest multiple of step that holds b.
func (b Bytes) AlignUp(step Bytes) Bytes { return (b + step - 1) / step * step }

// UnmarshalText reads what Parse reads.
func (b *Bytes) UnmarshalText(t []byte) error {
	p, err := Parse(string(t))
	*b = p
	return err
}

// UnmarshalJSON reads the number that a Bytes is in JSON, and what Parse reads.
func (b *Bytes) UnmarshalJSON(t []byte) error {
	text, err := strconv.Unquote(string(t))
	if err != nil {
		text = string(t)
	}
	return b.UnmarshalText([]byte(text))
}
