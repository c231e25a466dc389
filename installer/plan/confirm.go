package plan

import (
	"slices"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/spec"
)

// Confirmed is a plan that a person agreed to, on that disk. Only Confirm makes
// one, and apply takes nothing else.
type Confirmed struct {
	plan  Plan
	erase string
}

// Plan is what was agreed to.
func (c Confirmed) Plan() Plan { return c.plan }

// Erase is how consent was given: the text of confirm.erase.
func (c Confirmed) Erase() string { return c.erase }

// Confirm binds consent to a plan. erase is spec.Confirm's: "serial:X" or
// "by-id:X" must name the plan's disk; "any-blank" agrees only to a disk that
// holds nothing; "any" agrees to whatever disk the plan chose.
func Confirm(p Plan, erase string) (Confirmed, error) {
	want := p.ID
	if err := p.seal(); err != nil || p.ID != want {
		return Confirmed{}, Stale.New("cannot confirm the plan: have id %s, need %s: it was changed after it was made", want.Short(), p.ID.Short())
	}
	serial, bySerial := strings.CutPrefix(erase, spec.EraseSerial)
	id, byID := strings.CutPrefix(erase, spec.EraseByID)
	ok := false
	switch {
	case erase == "":
		return Confirmed{}, EraseMissing.New("cannot write to %s: have no consent to erase it, need confirm.erase in the answers", p.Disk.Path).
			Hint("write erase: %q to name this disk, or erase: any-blank for a disk that holds nothing", p.Disk.consent())
	case erase == spec.EraseAnyBlank && len(p.Disk.Holds) > 0:
		return Confirmed{}, DiskNotBlank.New("cannot install to %s: holds %s, need a blank disk", p.Disk.Path, strings.Join(p.Disk.Holds, ", ")).
			Hint("if its content may be lost, write erase: %q in the answers", p.Disk.consent())
	case erase == spec.EraseAny, erase == spec.EraseAnyBlank:
		ok = true
	case bySerial:
		ok = serial != "" && serial == p.Disk.Serial
	case byID:
		ok = slices.Contains(p.Disk.IDs, id)
	}
	if !ok {
		return Confirmed{}, EraseMismatch.New("cannot write to %s: consent is for %q, need %q", p.Disk.Path, erase, p.Disk.consent()).
			Hint("the plan chose another disk than the one that may be erased: correct disk or confirm.erase in the answers")
	}
	return Confirmed{plan: p, erase: erase}, nil
}

// consent is the text that names this disk and no other.
func (t Target) consent() string {
	switch {
	case t.Serial != "":
		return spec.EraseSerial + t.Serial
	case len(t.IDs) > 0:
		return spec.EraseByID + t.IDs[0]
	}
	return spec.EraseAny
}

// Check says whether the machine is still the one that was planned for. It is
// asked just before the first write; changed hardware voids the plan.
func (c Confirmed) Check(now machine.Machine) error {
	p := c.plan
	stale := func(what, have, need string) error {
		return Stale.New("cannot go on with plan %s: %s is now %q, need %q", p.ID.Short(), what, have, need).
			Hint("the hardware changed after the plan was made; start the installer again")
	}
	if have := identity(now); have != p.Machine {
		return stale("the machine", have.UUID+" "+have.Serial, p.Machine.UUID+" "+p.Machine.Serial)
	}
	for _, d := range now.Disks {
		if d.StablePath() != p.Disk.Path {
			continue
		}
		have := target(d)
		switch {
		case have.Serial != p.Disk.Serial:
			return stale("the disk's serial number", have.Serial, p.Disk.Serial)
		case have.Size != p.Disk.Size || have.SectorSize != p.Disk.SectorSize:
			return stale("the disk's size", have.Size.String(), p.Disk.Size.String())
		case d.Medium || d.ReadOnly:
			return stale("the disk", "the medium, or read-only", "a writable disk")
		case !slices.Equal(have.Holds, p.Disk.Holds):
			return stale("what the disk holds", strings.Join(have.Holds, ", "), strings.Join(p.Disk.Holds, ", "))
		}
		return nil
	}
	return stale("the disk", "gone", p.Disk.Path)
}

func identity(m machine.Machine) Identity {
	return Identity{Vendor: m.Vendor, Product: m.Product, Serial: m.Serial, UUID: m.UUID}
}

func target(d machine.Disk) Target {
	return Target{
		Path: d.StablePath(), IDs: d.IDs, Model: strings.TrimSpace(d.Vendor + " " + d.Model), Serial: d.Serial,
		Size: d.Size, SectorSize: d.SectorSize, Holds: d.Holds,
	}
}
