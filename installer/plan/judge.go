package plan

import (
	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/disk"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// Judgement is what stands against an install, before anybody chose: the words
// with which Make would refuse.
type Judgement struct {
	Machine []error          // against this machine in the answers' role; empty means none
	Disks   map[string]error // by kernel name, every disk: why it cannot be taken, nil if it can
	Least   size.Bytes       // the smallest disk that is large enough
}

// Judge holds the machine and each of its disks against what the install needs.
// The answers may be partial: only the role and the least size of the disk
// count, and while the role is open the machine is judged for a control plane.
// A removable disk can be taken, though only by a person who names it. An error
// means that the medium's images cannot be counted.
func Judge(in Input) (Judgement, error) {
	if in.Answers.Role == "" {
		in.Answers.Role = spec.ControlPlane
	}
	m := in.Bundle.Manifest()
	blobs, err := blobFiles(in.Bundle, m.Images)
	if err != nil {
		return Judgement{}, err
	}
	request := layout(in, m, blobs)
	j := Judgement{
		Machine: machineFaults(in), Disks: map[string]error{},
		Least: max(disk.Least(request), in.Answers.Disk.MinSize),
	}
	for _, d := range in.Machine.Disks {
		_, err := divide(d, in.Answers.Disk, request)
		j.Disks[d.Name] = err
	}
	return j, nil
}

// layout is what the install asks of any disk.
func layout(in Input, m bundle.Manifest, blobs []File) disk.Request {
	return disk.Request{
		Slot:  nodeos.SlotSize(m.OS),
		State: in.Profile.Needs(in.Answers.Role).Disk + payloadSize(m.Payload) + filesSize(blobs),
		Seed:  m.Release + "/" + in.Answers.Name,
	}
}

// divide lays the disk out, or says why it cannot be taken.
func divide(d machine.Disk, want spec.Disk, r disk.Request) (gpt.Table, error) {
	switch {
	case d.Medium:
		return gpt.Table{}, DiskIsMedium.New("cannot install to %s: it is the medium that this system started from, need another disk", d.StablePath())
	case d.ReadOnly:
		return gpt.Table{}, DiskReadOnly.New("cannot install to %s: it is read-only, need a writable disk", d.StablePath()).
			Hint("is there a write-protect switch?")
	case d.Size < want.MinSize:
		return gpt.Table{}, disk.TooSmall.New("cannot install to %s: holds %s, need %s", d.StablePath(), d.Size, want.MinSize).
			Hint("the answers ask for this least size (disk.minSize)")
	}
	r.Disk, r.DiskSize, r.SectorSize = d.StablePath(), d.Size, d.SectorSize
	return disk.Make(r)
}

// incomplete says what the answers lack to name the node.
func incomplete(a spec.Answers) []error {
	if a.Name != "" && a.Role != "" {
		return nil
	}
	return []error{spec.AnswersIncomplete.New("cannot plan the install: have name %q and role %q, need both", a.Name, a.Role).
		Hint("name the node with caisson.node=NAME on the kernel command line, or give answers")}
}

// machineFaults holds the machine against what the profile needs, disks aside.
func machineFaults(in Input) []error {
	var errs []error
	m, name, role := in.Machine, in.Profile.Name(), in.Answers.Role
	if m.Firmware != machine.UEFI {
		errs = append(errs, FirmwareBIOS.New("cannot install on this machine: it started in BIOS mode, need UEFI").
			Hint("turn UEFI on (CSM or legacy boot off) in the firmware's setup and start the medium again").
			Hint("in a virtual machine choose UEFI firmware when it is made"))
	}
	needs := in.Profile.Needs(role)
	// What the system sees is less than what is built in: firmware and kernel
	// take theirs first, up to a tenth on small machines.
	if m.Memory < needs.Memory-needs.Memory/10 {
		errs = append(errs, MemoryTooSmall.New("cannot install on this machine: have %s of memory, profile %s needs %s for a %s node", m.Memory, name, needs.Memory, role))
	}
	if m.CPUs < needs.CPUs {
		errs = append(errs, CPUsTooFew.New("cannot install on this machine: have %d processors, profile %s needs %d for a %s node", m.CPUs, name, needs.CPUs, role))
	}
	return errs
}
