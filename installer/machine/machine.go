// Package machine turns this computer into a value: who made it, its firmware,
// memory, disks and network cards, and what each disk holds now. Probe reads
// nothing but files under one root (an fs.FS), so a recorded tree is as good as
// a live machine, and a test needs no hardware.
//
// It leaves out every decision (package plan makes them) and writes nothing. It
// is the first value of the flow on the target: Machine -> Plan -> Confirmed.
package machine

import (
	"strings"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// Machine is the computer that Probe saw.
type Machine struct {
	Vendor     string     `json:"vendor,omitempty"`  // SMBIOS type 1, manufacturer
	Product    string     `json:"product,omitempty"` // SMBIOS type 1, product name
	Serial     string     `json:"serial,omitempty"`  // SMBIOS type 1, serial number
	UUID       string     `json:"uuid,omitempty"`    // SMBIOS type 1, lower case
	CPU        string     `json:"cpu,omitempty"`     // model name
	CPUs       int        `json:"cpus"`              // logical processors
	Memory     size.Bytes `json:"memory"`            // usable by the system, bytes
	Firmware   string     `json:"firmware"`          // UEFI or BIOS
	SecureBoot string     `json:"secureBoot"`        // "on", "off", "setup" (no platform key) or "unknown"
	TPM        string     `json:"tpm,omitempty"`     // "2.0" or "1.2"; empty means none
	Clock      string     `json:"clock,omitempty"`   // what the hardware clock showed, RFC 3339, taken as UTC; empty means none
	Disks      []Disk     `json:"disks"`             // by kernel name
	NICs       []NIC      `json:"nics"`              // by kernel name
}

// The firmware modes.
const (
	UEFI = "uefi"
	BIOS = "bios"
)

// Disk is a whole block device that could be written.
type Disk struct {
	Name       string     `json:"name"`            // kernel name, e.g. vda: changes between boots
	IDs        []string   `json:"ids,omitempty"`   // names under /dev/disk/by-id, sorted
	Paths      []string   `json:"paths,omitempty"` // names under /dev/disk/by-path, sorted
	Vendor     string     `json:"vendor,omitempty"`
	Model      string     `json:"model,omitempty"`
	Serial     string     `json:"serial,omitempty"`
	Size       size.Bytes `json:"size"`
	SectorSize int        `json:"sectorSize"`          // logical, bytes
	Transport  string     `json:"transport,omitempty"` // "nvme", "virtio", "usb", "ata", "scsi", "mmc"
	Removable  bool       `json:"removable,omitempty"`
	ReadOnly   bool       `json:"readOnly,omitempty"`
	Medium     bool       `json:"medium,omitempty"` // this system was booted from it
	Holds      []string   `json:"holds,omitempty"`  // signatures found; empty means blank
}

// NIC is a network card with hardware behind it.
type NIC struct {
	Name   string `json:"name"`
	MAC    string `json:"mac"`
	Link   bool   `json:"link"`             // a carrier was seen
	Speed  int    `json:"speed"`            // Mb/s; -1 means unknown, as without a link
	Driver string `json:"driver,omitempty"` // kernel module that drives it
	Model  string `json:"model,omitempty"`  // maker and model in words, else the numbers that its bus gives
}

// StablePath names the disk in a way that is the same after a reboot: a by-id
// name that a person can read, any by-id name, a by-path name (the slot, for a
// disk without a serial number), and only then the kernel's name.
func (d Disk) StablePath() string {
	for _, id := range d.IDs {
		if !opaque(id) {
			return "/dev/disk/by-id/" + id
		}
	}
	switch {
	case len(d.IDs) > 0:
		return "/dev/disk/by-id/" + d.IDs[0]
	case len(d.Paths) > 0:
		return "/dev/disk/by-path/" + d.Paths[0]
	}
	return "/dev/" + d.Name
}

// opaque says whether a by-id name is only a number that no label shows.
func opaque(id string) bool {
	for _, p := range []string{"wwn-", "nvme-eui.", "nvme-uuid.", "nvme-nvme.", "scsi-3", "scsi-S", "lvm-", "dm-"} {
		if strings.HasPrefix(id, p) {
			return true
		}
	}
	return false
}

// Describe is one line for people: name, size, model, serial.
func (d Disk) Describe() string {
	parts := []string{d.Name, d.Size.String()}
	for _, s := range []string{strings.TrimSpace(d.Vendor + " " + d.Model), prefixed("serial ", d.Serial), d.Transport} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

func prefixed(p, s string) string {
	if s == "" {
		return ""
	}
	return p + s
}

// Identity is what a roster entry is matched with.
func (m Machine) Identity() spec.Identity {
	id := spec.Identity{Serial: m.Serial, UUID: m.UUID}
	for _, n := range m.NICs {
		id.MACs = append(id.MACs, n.MAC)
	}
	return id
}
