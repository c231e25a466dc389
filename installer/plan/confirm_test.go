package plan_test

import (
	"strings"
	"testing"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
)

func TestConfirm(t *testing.T) {
	in := input(t)
	blank, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Machine.Disks[0].Holds = []string{"GPT partition table"}
	full, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	if blank.ID == full.ID {
		t.Error("a disk that holds something has the id of a blank one")
	}
	for _, c := range []struct {
		plan  plan.Plan
		erase string
		code  string // "" means agreed
	}{
		{blank, "any-blank", ""},
		{blank, "any", ""},
		{full, "any", ""},
		{full, "serial:D1", ""},
		{full, "by-id:virtio-D1", ""},
		{full, "any-blank", "DISK-NOT-BLANK"},
		{blank, "", "ERASE-NOT-CONFIRMED"},
		{blank, "serial:D2", "ERASE-MISMATCH"},
		{blank, "serial:", "ERASE-MISMATCH"},
		{blank, "by-id:virtio-D2", "ERASE-MISMATCH"},
		{blank, "yes", "ERASE-MISMATCH"},
		{blank, "any:thing", "ERASE-MISMATCH"},
	} {
		got, err := plan.Confirm(c.plan, c.erase)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("erase %q: %v", c.erase, err)
		case c.code == "" && (got.Plan().ID != c.plan.ID || got.Erase() != c.erase):
			t.Errorf("erase %q confirmed plan %s with %q", c.erase, got.Plan().ID, got.Erase())
		case c.code != "" && (err == nil || !strings.HasPrefix(err.Error(), c.code+": ")):
			t.Errorf("erase %q: want %s, got %v", c.erase, c.code, err)
		}
	}
	blank.Steps = blank.Steps[1:]
	if _, err := plan.Confirm(blank, "any"); !plan.Stale.Is(err) {
		t.Errorf("a changed plan was confirmed: %v", err)
	}
}

// TestCheck changes the machine between plan and first write.
func TestCheck(t *testing.T) {
	in := input(t)
	p, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	c, err := plan.Confirm(p, "any-blank")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(in.Machine); err != nil {
		t.Errorf("the same machine: %v", err)
	}
	for name, change := range map[string]func(*machine.Machine){
		"another machine":   func(m *machine.Machine) { m.UUID = "x" },
		"disk gone":         func(m *machine.Machine) { m.Disks = nil },
		"another disk":      func(m *machine.Machine) { m.Disks[0].Serial = "D7" },
		"another size":      func(m *machine.Machine) { m.Disks[0].Size++ },
		"now the medium":    func(m *machine.Machine) { m.Disks[0].Medium = true },
		"written meanwhile": func(m *machine.Machine) { m.Disks[0].Holds = []string{"ext2/3/4 file system"} },
	} {
		now := in.Machine
		now.Disks = append([]machine.Disk(nil), in.Machine.Disks...)
		change(&now)
		if err := c.Check(now); !plan.Stale.Is(err) {
			t.Errorf("%s: want PLAN-STALE, got %v", name, err)
		}
	}
	moved := in.Machine
	moved.Disks = append([]machine.Disk(nil), in.Machine.Disks...)
	moved.Disks[0].Name = "vdb" // kernel names change between boots; the disk is the same
	if err := c.Check(moved); err != nil {
		t.Errorf("the same disk under another kernel name: %v", err)
	}
}
