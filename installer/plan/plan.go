// Package plan decides what an install will do: Make turns the machine, the
// answers and the verified bundle into a Plan, a list of steps from a small
// closed set. It is pure: no disk is opened, no clock and no random number is
// read, so that the same input gives the same plan, with the same id.
//
// The review screen, --dry-run, the log, the golden tests and the Record all
// print this one value. It leaves out the doing (package apply), which takes
// only a Confirmed plan; Confirm is the only maker of one.
package plan

import (
	"io/fs"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
)

// Plan is what will be done. Its JSON form holds no content of files, only
// digests: it can be shown, kept and sent.
type Plan struct {
	ID       digest.Digest `json:"id"` // digest of the canonical form with this field empty
	Enclave  string        `json:"enclave"`
	Release  string        `json:"release"`
	Manifest digest.Digest `json:"manifest"` // of the medium's manifest
	Node     string        `json:"node"`
	Role     string        `json:"role"`
	OS       string        `json:"os"`      // version of the node OS
	Machine  Identity      `json:"machine"` // what it was planned for
	Disk     Target        `json:"disk"`
	Table    gpt.Table     `json:"table"`
	Steps    []Step        `json:"steps"`
	After    string        `json:"after"` // "reboot", "poweroff" or "stay"

	contents map[digest.Digest][]byte
	view     []images.ViewEntry
}

// Identity is what tells one machine from another.
type Identity struct {
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product,omitempty"`
	Serial  string `json:"serial,omitempty"`
	UUID    string `json:"uuid,omitempty"`
}

// Target is the disk that the plan was made for.
type Target struct {
	Path       string     `json:"path"` // stable path, e.g. /dev/disk/by-id/...
	IDs        []string   `json:"ids,omitempty"`
	Model      string     `json:"model,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	Size       size.Bytes `json:"size"`
	SectorSize int        `json:"sectorSize"`
	Holds      []string   `json:"holds,omitempty"` // what it holds now, and loses
}

// Kind is what a step does. The set is closed: apply knows each.
type Kind string

// The kinds of step, in the order of an install.
const (
	Clear        Kind = "clear"           // wipe every table and signature: from here on the disk does not boot
	Divide       Kind = "divide"          // tell the kernel of the partitions; no table on the disk names them yet
	MakeFS       Kind = "make-filesystem" // an empty file system in a partition
	WriteImage   Kind = "write-image"     // the OS image, block by block, read back
	StateTree    Kind = "state-tree"      // the folders that the node's mounts need
	CopyFiles    Kind = "copy-files"      // files of the bundle, as they are
	LayImages    Kind = "lay-images"      // image blobs and the registry's view of them
	Configure    Kind = "configure"       // the node's configuration, by Ignition
	PlaceSecrets Kind = "place-secrets"   // the cluster's CAs and keys, out of the medium's sealed file
	WriteESP     Kind = "write-esp"       // boot loader, kernel, initrd
	Record       Kind = "record"          // what was done, kept on the node
	BootEntry    Kind = "boot-entry"      // the entry that the loader starts
	Activate     Kind = "activate"        // write the partition table: from here on the disk boots
)

// Step is one act. Fields that its kind does not use are empty.
type Step struct {
	Kind      Kind          `json:"kind"`
	Device    string        `json:"device"`              // stable path of the disk
	Partition string        `json:"partition,omitempty"` // name, e.g. SLOT_A
	FS        string        `json:"fs,omitempty"`        // "vfat" or "ext4"
	UUID      string        `json:"uuid,omitempty"`      // of the file system, in the form its tools take
	Path      string        `json:"path,omitempty"`      // LayImages: the registry's storage root on the node
	Size      int64         `json:"size,omitempty"`      // bytes written, or of the partition
	Digest    digest.Digest `json:"digest,omitempty"`    // of what is written
	Destroys  string        `json:"destroys,omitempty"`  // in words; empty means nothing
	Dirs      []Dir         `json:"dirs,omitempty"`
	Files     []File        `json:"files,omitempty"`
	// Secrets is what the medium says in clear of what PlaceSecrets writes: what
	// is in it reaches apply by another way, and is compared with this.
	Secrets *bundle.SealedSecrets `json:"secrets,omitempty"`
	// Only names those of them that this node gets; nil: all.
	Only []string `json:"only,omitempty"`
}

// Dir is a folder below the root of its step: STATE for StateTree.
type Dir struct {
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"`
	GID  int         `json:"gid,omitempty"`
}

// File is a file to write, by its path on the node; on the ESP by its path
// there. Its bytes are in the bundle or in the plan, under Digest.
type File struct {
	Path   string        `json:"path"`
	Mode   fs.FileMode   `json:"mode,omitempty"`
	Size   int64         `json:"size"`
	Digest digest.Digest `json:"digest"`
}

// Content returns bytes that the plan itself made (configuration, boot entry);
// ok is false for those of the bundle.
func (p Plan) Content(d digest.Digest) (b []byte, ok bool) {
	b, ok = p.contents[d]
	return b, ok
}

// Secrets is what the plan places of the cluster's secrets; nil is nothing.
func (p Plan) Secrets() *bundle.SealedSecrets {
	for _, s := range p.Steps {
		if s.Kind == PlaceSecrets {
			return s.Secrets
		}
	}
	return nil
}

// View is the registry's storage root, for the LayImages step.
func (p Plan) View() []images.ViewEntry { return p.view }

// JSON is the canonical form.
func (p Plan) JSON() ([]byte, error) { return canon.JSON(p) }

// seal computes the id.
func (p *Plan) seal() error {
	p.ID = ""
	id, err := canon.Digest(p)
	p.ID = id
	return err
}

// own takes bytes into the plan and returns the file that holds them.
func (p *Plan) own(path string, mode fs.FileMode, b []byte) File {
	d := digest.Of(b)
	if p.contents == nil {
		p.contents = map[digest.Digest][]byte{}
	}
	p.contents[d] = b
	return File{Path: path, Mode: mode, Size: int64(len(b)), Digest: d}
}

// Bytes is what a plan writes, all steps together.
func (p Plan) Bytes() int64 {
	var n int64
	for _, s := range p.Steps {
		n += s.Bytes()
	}
	return n
}

// Bytes is what a step writes: the sum of a step's files, or its one size if it writes an image.
func (s Step) Bytes() int64 {
	if s.Kind == WriteImage {
		return s.Size
	}
	var n int64
	for _, f := range s.Files {
		n += f.Size
	}
	return n
}
