package machine

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"caisson.dev/caisson/spec"
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

func TestLinks(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	root := fstest.MapFS{
		"sys/class/net/eno1/device/vendor": file("0x8086"), "sys/class/net/eno1/carrier": file("1\n"),
		"sys/class/net/eno2/device/vendor": file("0x8086"), "sys/class/net/eno2/carrier": file("0\n"),
		"sys/class/net/eno3/device/vendor": file("0x8086"), // down: its carrier cannot be read
		"sys/class/net/lo/carrier":         file("1\n"),
	}
	if got, want := Links(root), map[string]bool{"eno1": true, "eno2": false, "eno3": false}; !maps.Equal(got, want) {
		t.Errorf("have %v, want %v", got, want)
	}
}

func TestCards(t *testing.T) {
	m := Machine{NICs: []NIC{{Name: "eno1", MAC: "02:00:5e:10:00:01"}, {Name: "eno2", MAC: "02:00:5e:10:00:02"}}}
	for _, c := range []struct {
		n             spec.NodeNetwork
		want, missing string
	}{
		{spec.NodeNetwork{Interface: "eno2"}, "eno2", ""},
		{spec.NodeNetwork{Interface: "02-00-5E-10-00-01"}, "eno1", ""},
		{spec.NodeNetwork{Interface: "eno9"}, "", "eno9"},
		{spec.NodeNetwork{Interface: spec.NoInterface}, "", ""},
		{spec.NodeNetwork{}, "eno1 eno2", ""},
		{spec.NodeNetwork{Bond: spec.Bond{Interfaces: []string{"eno2", "eno9", "eno1"}}}, "eno2 eno1", "eno9"},
	} {
		cards, missing := m.Cards(c.n)
		var names []string
		for _, n := range cards {
			names = append(names, n.Name)
		}
		if got := strings.Join(names, " "); got != c.want || strings.Join(missing, " ") != c.missing {
			t.Errorf("%+v: have %q, missing %q, want %q and %q", c.n, got, missing, c.want, c.missing)
		}
	}
}
