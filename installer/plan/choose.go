package plan

import (
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// choose finds the one disk that the answers mean. It never guesses: two disks
// that fit equally well are an error. least is what the install needs.
//
// A removable disk, a read-only one and the medium are taken only if they are
// named; whether the disk can be used at all, divide says afterwards.
func choose(m machine.Machine, want spec.Disk, least size.Bytes) (machine.Disk, error) {
	if want.ByID != "" || want.Serial != "" {
		return named(m, want)
	}
	var fit []machine.Disk
	for _, d := range m.Disks {
		if !d.Medium && !d.ReadOnly && !d.Removable && d.Size >= want.MinSize {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 {
		f := NoDisk.New("cannot choose a disk: have none to install to, need one that is fixed and writable%s", ofSize(want.MinSize))
		for _, d := range m.Disks {
			f.Hint("seen: %s%s", d.Describe(), why(d, want))
		}
		return machine.Disk{}, f.Hint("check that the disk controller is on in the firmware's setup, then restart from the medium")
	}
	if want.Choose == "" {
		if len(fit) > 1 {
			return machine.Disk{}, ambiguous("is the only disk", fit)
		}
		return fit[0], nil
	}
	return extreme(fit, want.Choose, least)
}

// extreme is the smallest or largest disk that is big enough. If none is, it is
// the largest, which divide refuses.
func extreme(fit []machine.Disk, which string, least size.Bytes) (machine.Disk, error) {
	better := func(a, b machine.Disk) bool { return a.Size < b.Size }
	if which == "largest" {
		better = func(a, b machine.Disk) bool { return a.Size > b.Size }
	}
	var best []machine.Disk
	var largest machine.Disk
	for _, d := range fit {
		if d.Size > largest.Size {
			largest = d
		}
		switch {
		case d.Size < least:
		case len(best) == 0 || better(d, best[0]):
			best = []machine.Disk{d}
		case d.Size == best[0].Size:
			best = append(best, d)
		}
	}
	switch len(best) {
	case 0:
		return largest, nil
	case 1:
		return best[0], nil
	}
	return machine.Disk{}, ambiguous("is the "+which, best)
}

// named finds the disk by what is written on it.
func named(m machine.Machine, want spec.Disk) (machine.Disk, error) {
	what, is := "by-id name "+want.ByID, func(d machine.Disk) bool { return has(d.IDs, want.ByID) }
	if want.ByID == "" {
		what, is = "serial number "+want.Serial, func(d machine.Disk) bool { return d.Serial == want.Serial }
	}
	var found []machine.Disk
	for _, d := range m.Disks {
		if is(d) {
			found = append(found, d)
		}
	}
	switch {
	case len(found) == 0:
		f := NoDisk.New("cannot find the disk: have none with %s, need one", what)
		for _, d := range m.Disks {
			f.Hint("seen: %s%s", d.Describe(), byIDs(d))
		}
		return machine.Disk{}, f
	case len(found) > 1:
		return machine.Disk{}, ambiguous("has "+what, found)
	}
	return found[0], nil
}

func ambiguous(what string, found []machine.Disk) error {
	f := DiskAmbiguous.New("cannot choose a disk: have %d of which each %s, need one", len(found), what)
	for _, d := range found {
		f.Hint("seen: %s%s", d.Describe(), byIDs(d))
	}
	return f.Hint("name it in the answers: disk.serial or disk.byID, or disk.choose: smallest or largest")
}

func has(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func byIDs(d machine.Disk) string {
	if len(d.IDs) == 0 {
		return ""
	}
	return " (by-id: " + strings.Join(d.IDs, " ") + ")"
}

func ofSize(n size.Bytes) string {
	if n == 0 {
		return ""
	}
	return " and holds at least " + n.String()
}

// why says what rules a disk out.
func why(d machine.Disk, want spec.Disk) string {
	switch {
	case d.Medium:
		return ": the boot medium"
	case d.ReadOnly:
		return ": read-only"
	case d.Removable:
		return ": removable, taken only if named"
	case d.Size < want.MinSize:
		return ": too small"
	}
	return ""
}
