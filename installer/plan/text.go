package plan

import (
	"fmt"
	"strings"

	"caisson.dev/caisson/installer/disk"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
)

// Text is the plan for a person: what it is for, then numbered sentences. The
// dry run, the review screen and the log print it.
func (p Plan) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Install %s (enclave %s) as node %s, role %s\n", p.Release, p.Enclave, p.Node, p.Role)
	fmt.Fprintf(&b, "Machine  %s\n", strings.Join(filled(p.Machine.Vendor, p.Machine.Product, label("serial", p.Machine.Serial), label("uuid", p.Machine.UUID)), ", "))
	fmt.Fprintf(&b, "Disk     %s: %s\n", p.Disk.Path, strings.Join(filled(p.Disk.Size.String(), p.Disk.Model, label("serial", p.Disk.Serial)), ", "))
	fmt.Fprintf(&b, "Holds    %s\n\n", holds(p.Disk))
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, s.Text(p))
	}
	fmt.Fprintf(&b, "\nThen: %s\nPlan %s\n", p.After, p.ID)
	return b.String()
}

// Text is the step as one sentence.
func (s Step) Text(p Plan) string {
	on := s.Partition
	switch s.Kind {
	case Clear:
		what := "It is blank"
		if s.Destroys != "" {
			what = "This DESTROYS " + s.Destroys
		}
		return fmt.Sprintf("Clear %s. %s. From here until the last step the disk does not boot.", s.Device, what)
	case Divide:
		var parts []string
		for _, e := range p.Table.Partitions {
			parts = append(parts, e.Name+" "+size.Bytes(e.Sectors()*gpt.SectorSize).String())
		}
		return fmt.Sprintf("Divide it: %s. The table itself is written last.", strings.Join(parts, ", "))
	case MakeFS:
		return fmt.Sprintf("Make an empty %s file system in %s (%s).", s.FS, on, size.Bytes(s.Size))
	case WriteImage:
		return fmt.Sprintf("Write node OS %s to %s: %s, %s; read it back.", p.OS, on, size.Bytes(s.Size), s.Digest)
	case StateTree:
		return fmt.Sprintf("Make the %d folders that the node writes to in %s.", len(s.Dirs), on)
	case CopyFiles:
		return fmt.Sprintf("Copy %d files of the payload to %s: %s; read them back.", len(s.Files), on, size.Bytes(s.Bytes()))
	case LayImages:
		return fmt.Sprintf("Copy %d image blobs to %s, %s, and lay out the registry over them: %s.", len(s.Files), on, size.Bytes(s.Bytes()), s.Digest)
	case Configure:
		return fmt.Sprintf("Configure the node with Ignition: %s.", s.Digest)
	case PlaceSecrets:
		n := len(s.Secrets.Files)
		if s.Only != nil {
			n = len(s.Only)
		}
		return fmt.Sprintf("Place the cluster's CAs and keys in %s: %d files, opened from the sealed file %s; read them back. %s.", on, n, s.Digest, authorities(*s.Secrets))
	case WriteESP:
		return fmt.Sprintf("Write boot loader, kernel and initrd to %s: %d files, %s; read them back.", on, len(s.Files), size.Bytes(s.Bytes()))
	case Record:
		return fmt.Sprintf("Write down on the node what was done: %s/record.json.", NodeDir)
	case BootEntry:
		return fmt.Sprintf("Write the boot entry %s to %s.", s.Files[0].Path, on)
	case Activate:
		return fmt.Sprintf("Write the partition table to %s: from here on it boots this node.", s.Device)
	}
	return string(s.Kind)
}

func holds(t Target) string {
	if len(t.Holds) == 0 {
		return "nothing"
	}
	return strings.Join(t.Holds, ", ")
}

// destroys says what clearing a disk costs; nothing if it is blank.
func destroys(t Target) string {
	if len(t.Holds) == 0 {
		return ""
	}
	return "everything on it (" + holds(t) + ")"
}

func filled(list ...string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func label(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}

// Partition is a partition of the plan's table in bytes.
func (p Plan) Partition(name string) (number int, start, length int64) {
	return disk.Extent(p.Table, name)
}
