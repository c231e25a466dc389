// Package disk is the layout of an installed disk, to the sector: ESP | SLOT_A |
// SLOT_B | STATE, as a partition table value (internal/gpt; UEFI 2.10, section
// 5). It is arithmetic on numbers: it opens no device, and the same input gives
// the same table, GUIDs included.
//
// It leaves out what is written into the partitions (package plan). It stands
// between Machine and Plan.
package disk

import (
	"fmt"

	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
)

// Align is the grain of every partition: 1 MiB, a multiple of any physical
// sector and erase block in use. The tables take the first and the last grain.
const Align = size.MiB

// LeastState is the smallest STATE that makes sense at all, whatever the payload.
const LeastState = size.GiB

// Request is what a layout is made from.
type Request struct {
	Disk       string     // stable name: in errors, and in the GUIDs
	DiskSize   size.Bytes // whole device
	SectorSize int        // logical sector, bytes
	Slot       size.Bytes // least size of each slot
	State      size.Bytes // least size of STATE
	Seed       string     // what else makes the GUIDs unique: release and node
}

// Make lays the four partitions out; STATE takes what is left. It refuses a disk
// on which STATE would be smaller than asked for.
//
// GUIDs are derived from seed, disk and partition name: no other disk, node or
// release has them, and installing the same thing again gives the same table.
// Slots and STATE are plain Linux data on purpose: the types of the Discoverable
// Partitions Specification would let systemd mount them by itself, and a node
// mounts only what its kernel line and fstab say.
func Make(r Request) (gpt.Table, error) {
	if r.SectorSize != gpt.SectorSize {
		return gpt.Table{}, SectorSize.New("cannot partition %s: have logical sectors of %d bytes, need %d", r.Disk, r.SectorSize, gpt.SectorSize).
			Hint("many disks can be switched to 512-byte logical sectors with their vendor's tool (NVMe: nvme format), which erases them").
			Hint("or choose another disk")
	}
	if need := Least(r); r.DiskSize < need {
		return gpt.Table{}, TooSmall.New("cannot install to %s: holds %s, need %s", r.Disk, exact(r.DiskSize, need), exact(need, r.DiskSize)).
			Hint("it must hold the boot partition (%s), two system slots (%s each) and the node's data (%s)", nodeos.ESPSize, r.Slot.AlignUp(Align), stateSize(r)).
			Hint("use a larger disk, or carry fewer images")
	}
	t := gpt.Table{
		DiskGUID: gpt.FromHash("caisson disk", r.Seed, r.Disk),
		Sectors:  int64(r.DiskSize) / gpt.SectorSize,
	}
	next := Align
	add := func(name string, kind gpt.GUID, n size.Bytes) {
		t.Partitions = append(t.Partitions, gpt.Partition{
			Name:  name,
			Type:  kind,
			GUID:  gpt.FromHash("caisson partition", r.Seed, r.Disk, name),
			First: int64(next) / gpt.SectorSize,
			Last:  int64(next+n)/gpt.SectorSize - 1,
		})
		next += n
	}
	slot := r.Slot.AlignUp(Align)
	add(nodeos.ESP, gpt.ESP, nodeos.ESPSize)
	add(nodeos.SlotA, gpt.LinuxGeneric, slot)
	add(nodeos.SlotB, gpt.LinuxGeneric, slot)
	add(nodeos.State, gpt.LinuxGeneric, (r.DiskSize-Align)/Align*Align-next)
	return t, nil
}

// Least is the smallest disk that Make accepts for the request.
func Least(r Request) size.Bytes {
	return Align + nodeos.ESPSize + 2*r.Slot.AlignUp(Align) + stateSize(r) + Align
}

// exact shows a size in bytes where the rounded form would look like the other's.
func exact(b, other size.Bytes) string {
	if b.String() == other.String() {
		return fmt.Sprintf("%d bytes", int64(b))
	}
	return b.String()
}

func stateSize(r Request) size.Bytes { return max(r.State, LeastState).AlignUp(Align) }

// Extent is a partition's place on the disk in bytes, and its number from 1.
// It is for tables that Make made: every name of this package is in them.
func Extent(t gpt.Table, name string) (number int, start, length int64) {
	for i, p := range t.Partitions {
		if p.Name == name {
			return i + 1, p.First * gpt.SectorSize, p.Sectors() * gpt.SectorSize
		}
	}
	return 0, 0, 0
}
