package machine

import (
	"testing"
	"testing/fstest"
)

func TestSpeed(t *testing.T) {
	for in, want := range map[string]int{"1000": 1000, "100000": 100000, "-1": -1, "4294967295": -1, "0": -1, "": -1, "fast": -1} {
		if got := speed(in); got != want {
			t.Errorf("speed %q is %d, want %d", in, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for _, c := range []struct{ date, time, want string }{
		{"2026-11-01", "06:30:59", "2026-11-01T06:30:59Z"},
		{"1970-01-01", "00:00:00", "1970-01-01T00:00:00Z"}, // an empty battery: a time, and a wrong one
		{"2026-13-01", "06:30:59", ""},
		{"", "", ""},
	} {
		root := fstest.MapFS{"sys/class/rtc/rtc0/date": {Data: []byte(c.date + "\n")}, "sys/class/rtc/rtc0/time": {Data: []byte(c.time + "\n")}}
		if got := clock(root); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.date, c.time, got, c.want)
		}
	}
	if got := clock(fstest.MapFS{}); got != "" {
		t.Errorf("no clock shows %q", got)
	}
}
