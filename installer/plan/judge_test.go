package plan_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// TestJudgeDisks judges every disk of a machine, then names each in turn: Make
// must refuse it in the same words, or take it.
func TestJudgeDisks(t *testing.T) {
	in := input(t)
	good := in.Machine.Disks[0]
	want := map[string]string{}
	in.Machine.Disks = nil
	for _, c := range []struct {
		name, code string
		change     func(*machine.Disk)
	}{
		{"vda", "", func(*machine.Disk) {}},
		{"vdb", "DISK-IS-MEDIUM", func(d *machine.Disk) { d.Medium = true }},
		{"vdc", "DISK-READ-ONLY", func(d *machine.Disk) { d.ReadOnly = true }},
		{"vdd", "DISK-TOO-SMALL", func(d *machine.Disk) { d.Size = 3 * size.GiB }},
		{"vde", "DISK-SECTOR-SIZE", func(d *machine.Disk) { d.SectorSize = 4096 }},
		{"vdf", "", func(d *machine.Disk) { d.Removable = true }},
		{"vdg", "", func(d *machine.Disk) { d.Holds = []string{"GPT partition table"} }},
	} {
		d := good
		d.Name, d.Serial, d.IDs = c.name, "S-"+c.name, []string{"virtio-" + c.name}
		c.change(&d)
		in.Machine.Disks, want[c.name] = append(in.Machine.Disks, d), c.code
	}
	j, err := plan.Judge(in)
	if err != nil || len(j.Machine) > 0 || len(j.Disks) != len(want) {
		t.Fatalf("have %+v, %v", j, err)
	}
	for name, code := range want {
		in.Answers.Disk = spec.Disk{Serial: "S-" + name}
		_, err := plan.Make(in)
		judged := j.Disks[name]
		switch {
		case code == "" && (judged != nil || err != nil):
			t.Errorf("%s: judged %v, made %v, want neither", name, judged, err)
		case code != "" && (judged == nil || err == nil || judged.Error() != err.Error() || !strings.HasPrefix(judged.Error(), code+": ")):
			t.Errorf("%s: judged %v\nmade %v\nwant %s twice", name, judged, err, code)
		}
	}
}

// TestJudgeLeast finds the smallest disk that is taken, to the byte.
func TestJudgeLeast(t *testing.T) {
	in := input(t)
	in.Answers = spec.Answers{}
	j, err := plan.Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		size  size.Bytes
		least size.Bytes // that the answers ask for
		taken bool
	}{
		{j.Least, 0, true}, {j.Least - 1, 0, false},
		{100 * size.GiB, 100 * size.GiB, true}, {100*size.GiB - 1, 100 * size.GiB, false},
	} {
		in.Machine.Disks[0].Size, in.Answers.Disk.MinSize = c.size, c.least
		got, err := plan.Judge(in)
		if err != nil || (got.Disks["vda"] == nil) != c.taken || got.Least != max(j.Least, c.least) {
			t.Errorf("a disk of %d with least %d: %v, %v", c.size, c.least, got, err)
		}
	}
}

func TestJudgeMachine(t *testing.T) {
	in := input(t)
	in.Machine.Memory, in.Machine.CPUs, in.Machine.Firmware = size.GiB, 1, machine.BIOS
	j, err := plan.Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	_, refused := plan.Make(in)
	if len(j.Machine) != 3 || refused == nil || errors.Join(j.Machine...).Error() != refused.Error() {
		t.Errorf("judged %v\nmade %v", j.Machine, refused)
	}
	if j.Disks["vda"] != nil {
		t.Errorf("a good disk of a bad machine: %v", j.Disks["vda"])
	}
	in.Answers = spec.Answers{}
	open, err := plan.Judge(in)
	if err != nil || errors.Join(open.Machine...).Error() != errors.Join(j.Machine...).Error() {
		t.Errorf("with no role yet: %v, %v; want as a control plane", open.Machine, err)
	}
}

// blobless is a medium whose images cannot be read.
type blobless struct{ plan.Bundle }

func (blobless) Open(d digest.Digest) (io.ReadCloser, error) {
	return nil, errors.New("no blob " + string(d))
}

func TestJudgeNeedsTheImages(t *testing.T) {
	in := input(t)
	in.Bundle = blobless{in.Bundle}
	if j, err := plan.Judge(in); err == nil {
		t.Errorf("judged %+v without knowing the images' size", j)
	}
}
