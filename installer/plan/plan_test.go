package plan_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// input is an install that works.
func input(t *testing.T) plan.Input {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.Medium(dir, installtest.OSImage(3<<20), nil); err != nil {
		t.Fatal(err)
	}
	v, err := bundle.Verify(context.Background(), os.DirFS(dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := spec.Parse([]byte(installtest.Spec), "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.ParseAnswers([]byte(installtest.Answers))
	if err != nil {
		t.Fatal(err)
	}
	if a, err = spec.Complete(loaded.Enclave, a); err != nil {
		t.Fatal(err)
	}
	return plan.Input{Machine: installtest.Machine(), Enclave: loaded.Enclave, Spec: []byte(installtest.Spec),
		Answers: a, Bundle: v, Profile: installtest.Profile{}, Engine: distribution.Engine{}}
}

// carrier is a medium with another manifest.
type carrier struct {
	plan.Bundle
	manifest bundle.Manifest
}

func (c carrier) Manifest() bundle.Manifest { return c.manifest }

// carrying is the medium with its first payload bound for path.
func carrying(b plan.Bundle, path string) plan.Bundle {
	m := b.Manifest()
	m.Payload = append([]bundle.Payload(nil), m.Payload...)
	m.Payload[0].Path = path
	return carrier{b, m}
}

// TestSerialConsole: the installed node talks on the port that the Spec names.
func TestSerialConsole(t *testing.T) {
	for serial, want := range map[string]string{"": " console=ttyS0,115200", "ttyS1,9600": " console=ttyS1,9600"} {
		in := input(t)
		in.Enclave.OS.Serial = serial
		p, err := plan.Make(in)
		if err != nil {
			t.Fatal(err)
		}
		found := ""
		for _, s := range p.Steps {
			for _, f := range s.Files {
				if b, own := p.Content(f.Digest); own && strings.Contains(f.Path, "loader/entries/") {
					found = string(b)
				}
			}
		}
		if !strings.Contains(found, want) || strings.Count(found, "console=ttyS") != 1 {
			t.Errorf("%q: the boot entry is %q, need%s", serial, found, want)
		}
	}
}

func TestMake(t *testing.T) {
	in := input(t)
	p, err := plan.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "plan.txt", []byte(p.Text()))
	b, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "plan.json", b)
	again, err := plan.Make(in)
	if err != nil || again.ID != p.ID {
		t.Errorf("the same input gave plan %s and %s (%v)", p.ID, again.ID, err)
	}
	for _, s := range p.Steps {
		for _, f := range s.Files {
			if _, own := p.Content(f.Digest); own {
				continue
			}
			if _, err := in.Bundle.Size(f.Digest); err != nil {
				t.Errorf("step %s writes %s, which neither the plan nor the bundle has", s.Kind, f.Path)
			}
		}
	}
}

// TestRefusals holds one thing wrong after another against the plan that works.
func TestRefusals(t *testing.T) {
	good := input(t)
	for _, c := range []struct {
		name, code string
		break_     func(*plan.Input)
	}{
		{"no disk", "NO-DISK", func(in *plan.Input) { in.Machine.Disks = nil }},
		{"two disks, none named", "DISK-AMBIGUOUS", func(in *plan.Input) { in.Machine.Disks = twoDisks() }},
		{"two disks of one size, smallest", "DISK-AMBIGUOUS", func(in *plan.Input) {
			in.Machine.Disks = twoDisks()
			in.Answers.Disk.Choose = "smallest"
		}},
		{"a disk that is not there", "NO-DISK", func(in *plan.Input) { in.Answers.Disk.Serial = "D9" }},
		{"the medium, by name", "DISK-IS-MEDIUM", func(in *plan.Input) {
			in.Machine.Disks[0].Medium = true
			in.Answers.Disk.ByID = "virtio-D1"
		}},
		{"only the medium", "NO-DISK", func(in *plan.Input) { in.Machine.Disks[0].Medium = true }},
		{"only a removable disk", "NO-DISK", func(in *plan.Input) { in.Machine.Disks[0].Removable = true }},
		{"read-only, by name", "DISK-READ-ONLY", func(in *plan.Input) {
			in.Machine.Disks[0].ReadOnly = true
			in.Answers.Disk.Serial = "D1"
		}},
		{"small disk", "DISK-TOO-SMALL", func(in *plan.Input) { in.Machine.Disks[0].Size = 3 * size.GiB }},
		{"no disk is large enough", "DISK-TOO-SMALL", func(in *plan.Input) {
			in.Machine.Disks[0].Size = 3 * size.GiB
			in.Answers.Disk.Choose = "largest"
		}},
		{"4Kn disk", "DISK-SECTOR-SIZE", func(in *plan.Input) { in.Machine.Disks[0].SectorSize = 4096 }},
		{"little memory", "MEMORY-TOO-SMALL", func(in *plan.Input) { in.Machine.Memory = size.GiB }},
		{"one processor", "CPUS-TOO-FEW", func(in *plan.Input) { in.Machine.CPUs = 1 }},
		{"BIOS", "FIRMWARE-BIOS", func(in *plan.Input) { in.Machine.Firmware = machine.BIOS }},
		{"a file from elsewhere", "CONFIG-REFUSED", func(in *plan.Input) { in.Profile = installtest.Profile{Source: "https://example.com/x"} }},
		{"a file that Ignition refuses", "CONFIG-REFUSED", func(in *plan.Input) { in.Profile = installtest.Profile{Source: "data:nonsense"} }},
		{"a payload in the read-only system", "PAYLOAD-PATH", func(in *plan.Input) { in.Bundle = carrying(in.Bundle, "/usr/bin/kubelet") }},
		{"a payload that climbs there", "PAYLOAD-PATH", func(in *plan.Input) { in.Bundle = carrying(in.Bundle, "/opt/../usr/bin/kubelet") }},
		{"no name", "ANSWERS-INCOMPLETE", func(in *plan.Input) { in.Answers.Name = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := good
			in.Machine.Disks = append([]machine.Disk(nil), good.Machine.Disks...)
			c.break_(&in)
			_, err := plan.Make(in)
			if err == nil || !strings.HasPrefix(err.Error(), c.code+": ") {
				t.Fatalf("want %s, got %v", c.code, err)
			}
		})
	}
}

func TestAllReasonsAtOnce(t *testing.T) {
	in := input(t)
	in.Machine.Memory, in.Machine.CPUs, in.Machine.Firmware = size.GiB, 1, machine.BIOS
	_, err := plan.Make(in)
	for _, code := range []string{"FIRMWARE-BIOS", "MEMORY-TOO-SMALL", "CPUS-TOO-FEW"} {
		if !strings.Contains(err.Error(), code) {
			t.Errorf("the error lacks %s: %v", code, err)
		}
	}
}

func TestChoices(t *testing.T) {
	in := input(t)
	in.Machine.Disks = twoDisks()
	in.Machine.Disks[1].Size *= 4
	for _, c := range []struct {
		want spec.Disk
		path string
	}{
		{spec.Disk{Choose: "smallest"}, "/dev/disk/by-id/virtio-D1"},
		{spec.Disk{Choose: "largest"}, "/dev/disk/by-id/virtio-D2"},
		{spec.Disk{Choose: "smallest", MinSize: 100 * size.GiB}, "/dev/disk/by-id/virtio-D2"},
		{spec.Disk{Serial: "D2"}, "/dev/disk/by-id/virtio-D2"},
		{spec.Disk{ByID: "virtio-D1", Serial: "D2"}, "/dev/disk/by-id/virtio-D1"},
	} {
		in.Answers.Disk = c.want
		p, err := plan.Make(in)
		if err != nil || p.Disk.Path != c.path {
			t.Errorf("%+v chose %s, %v, want %s", c.want, p.Disk.Path, err, c.path)
		}
	}
}

func twoDisks() []machine.Disk {
	one := installtest.Machine().Disks[0]
	two := one
	two.Name, two.Serial, two.IDs = "vdb", "D2", []string{"virtio-D2"}
	return []machine.Disk{one, two}
}
