package gpt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/golden"
)

// disk is the layout of an installed node on a disk of 20 GiB.
func disk() Table {
	const mib = 2048
	t := Table{DiskGUID: FromHash("test", "disk"), Sectors: 20 * 1024 * mib}
	add := func(name string, kind GUID, first, size int64, attrs uint64) {
		t.Partitions = append(t.Partitions, Partition{Name: name, Type: kind, GUID: FromHash("test", name), First: first * mib, Last: (first+size)*mib - 1, Attrs: attrs})
	}
	add("ESP", ESP, 1, 512, AttrRequired)
	add("SLOT_A", LinuxRootX86, 513, 2048, AttrReadOnly|AttrNoAuto)
	add("SLOT_B", LinuxRootX86, 2561, 2048, AttrReadOnly|AttrNoAuto)
	add("STATE", LinuxVar, 4609, 15000, 0)
	return t
}

// image is a sparse disk: only what Primary and Backup cover exists.
type image struct {
	sectors int64
	head    []byte
	tail    []byte
}

func (m image) ReadAt(p []byte, off int64) (int, error) {
	tail := m.sectors*SectorSize - int64(len(m.tail))
	for i := range p {
		switch at := off + int64(i); {
		case at >= m.sectors*SectorSize:
			return i, errors.New("read past the end")
		case at >= tail:
			p[i] = m.tail[at-tail]
		case at < int64(len(m.head)):
			p[i] = m.head[at]
		default:
			p[i] = 0
		}
	}
	return len(p), nil
}

func encode(t testing.TB, table Table) image {
	t.Helper()
	head, err := table.Primary()
	if err != nil {
		t.Fatal(err)
	}
	tail, err := table.Backup()
	if err != nil {
		t.Fatal(err)
	}
	return image{table.Sectors, head, tail}
}

func TestRoundTrip(t *testing.T) {
	want := disk()
	m := encode(t, want)
	if len(m.head) != PrimarySectors*SectorSize || len(m.tail) != BackupSectors*SectorSize {
		t.Fatalf("have %d and %d bytes", len(m.head), len(m.tail))
	}
	got, err := Parse(m, want.Sectors)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseDamage(t *testing.T) {
	want := disk()
	hurt := func(b []byte, at int) []byte {
		c := bytes.Clone(b)
		c[at] ^= 0x40
		return c
	}
	good := encode(t, want)
	other := disk()
	other.Partitions = other.Partitions[:3]
	for _, c := range []struct {
		name    string
		m       image
		size    int64
		damaged string // part of Table.Damaged
		code    string // part of the error
	}{
		{"primary header", image{good.sectors, hurt(good.head, 512+56), good.tail}, want.Sectors, "primary table: header checksum", ""},
		{"primary entries", image{good.sectors, hurt(good.head, 1024+40), good.tail}, want.Sectors, "primary table: checksum of the entries", ""},
		{"primary gone", image{good.sectors, good.head[:512], good.tail}, want.Sectors, "primary table: no header at LBA 1", ""},
		{"backup gone", image{good.sectors, good.head, nil}, want.Sectors, "backup table: no header", ""},
		{"backup entries", image{good.sectors, good.head, hurt(good.tail, 40)}, want.Sectors, "backup table: checksum of the entries", ""},
		{"copies differ", image{good.sectors, good.head, encode(t, other).tail}, want.Sectors, "differs", ""},
		{"both", image{good.sectors, hurt(good.head, 600), hurt(good.tail, 40)}, want.Sectors, "", "GPT-DAMAGED"},
		{"no protective MBR", image{good.sectors, hurt(good.head, 450), good.tail}, want.Sectors, "", "GPT-ABSENT"},
		{"empty disk", image{good.sectors, nil, nil}, want.Sectors, "", "GPT-ABSENT"},
		{"cut short", good, want.Sectors - 1, "", "GPT-DAMAGED"},
		{"tiny", good, 5, "", "GPT-ABSENT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.m, c.size)
			if c.code != "" {
				if err == nil || !strings.Contains(err.Error(), c.code) {
					t.Fatalf("have %v, want %s", err, c.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.Damaged, c.damaged) {
				t.Errorf("have %q, want %q", got.Damaged, c.damaged)
			}
			got.Damaged = ""
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseOnLargerDisk(t *testing.T) {
	want := disk()
	m := encode(t, want)
	file := sparse(t, m, want.Sectors*SectorSize+1<<20)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Parse(f, want.Sectors+2048)
	if err != nil || got.Damaged != "" || got.Sectors != want.Sectors {
		t.Fatalf("have %+v, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Table)
		want string
	}{
		{"overlap", func(t *Table) { t.Partitions[2].First-- }, `begin at LBA`},
		{"past the end", func(t *Table) { t.Partitions[3].Last = t.Sectors - 33 }, "need a range within 34 to"},
		{"in the table", func(t *Table) { t.Partitions[0].First = 33 }, "need a range within 34 to"},
		{"backwards", func(t *Table) { t.Partitions[0].Last = t.Partitions[0].First - 1 }, "need a range"},
		{"same GUID", func(t *Table) { t.Partitions[1].GUID = t.Partitions[0].GUID }, "of its own"},
		{"no type", func(t *Table) { t.Partitions[1].Type = GUID{} }, "need both"},
		{"long name", func(t *Table) { t.Partitions[1].Name = strings.Repeat("x", 35) + "😀" }, "37 UTF-16 units"},
		{"no disk GUID", func(t *Table) { t.DiskGUID = GUID{} }, "disk GUID"},
		{"too many", func(t *Table) { t.Partitions = make([]Partition, 129) }, "129 partitions"},
		{"tiny disk", func(t *Table) { t.Sectors = 60 }, "60 sectors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := disk()
			c.edit(&table)
			if _, err := table.Primary(); err == nil || !strings.Contains(err.Error(), c.want) || !Invalid.Is(err) {
				t.Errorf("have %v, want GPT-INVALID with %q", err, c.want)
			}
			if _, err := table.Backup(); err == nil {
				t.Error("the backup is accepted")
			}
		})
	}
}

// sparse writes m as a file; the middle is a hole.
func sparse(t testing.TB, m image, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, e1 := f.WriteAt(m.head, 0)
	_, e2 := f.WriteAt(m.tail, m.sectors*SectorSize-int64(len(m.tail)))
	if err := errors.Join(e1, e2, f.Truncate(size)); err != nil {
		t.Fatal(err)
	}
	return path
}

// run calls a judge from another house; a missing judge is named and skipped.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestSgdiskFindsNoProblem(t *testing.T) {
	table := disk()
	path := sparse(t, encode(t, table), table.Sectors*SectorSize)
	if out := run(t, "sgdisk", "-v", path); !strings.Contains(out, "No problems found") {
		t.Error(out)
	}
	out := run(t, "sgdisk", "-i", "2", path)
	for _, want := range []string{LinuxRootX86.String(), FromHash("test", "SLOT_A").String(), "'SLOT_A'", "Attribute flags: 9000000000000000"} {
		if !strings.Contains(out, want) {
			t.Errorf("sgdisk does not show %q:\n%s", want, out)
		}
	}
}

func TestSfdiskReadsTheSame(t *testing.T) {
	table := disk()
	path := sparse(t, encode(t, table), table.Sectors*SectorSize)
	out := run(t, "sfdisk", "--dump", path)
	golden.Equal(t, "node.sfdisk", []byte(strings.ReplaceAll(out, path, "disk.img")))
}

// FuzzParse puts foreign headers and entries on a disk, with checksums that
// hold: damage is found by them, so what matters is what lies behind.
func FuzzParse(f *testing.F) {
	small := Table{DiskGUID: FromHash("d"), Sectors: 128, Partitions: []Partition{
		{Name: "X", Type: ESP, GUID: FromHash("p"), First: 40, Last: 50},
		{Name: "Y", Type: LinuxVar, GUID: FromHash("q"), First: 51, Last: 90},
	}}
	seed := encode(f, small)
	f.Add(seed.head[SectorSize:][:headerSize], seed.head[2*SectorSize:][:3*entrySize], int64(128))
	f.Fuzz(func(t *testing.T, header, entries []byte, sectors int64) {
		if len(header) != headerSize || sectors < 0 || sectors > 1<<40 {
			return
		}
		m := image{sectors: sectors, head: make([]byte, PrimarySectors*SectorSize)}
		copy(m.head, protectiveMBR(max(sectors, 2)))
		copy(m.head[SectorSize:], header)
		copy(m.head[2*SectorSize:], entries)
		h := m.head[SectorSize:]
		count := min(binary.LittleEndian.Uint32(h[80:]), entryCount)
		binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(m.head[2*SectorSize:][:count*entrySize]))
		binary.LittleEndian.PutUint32(h[16:], 0)
		binary.LittleEndian.PutUint32(h[12:], headerSize)
		binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:headerSize]))
		got, err := Parse(m, sectors)
		if err != nil {
			return
		}
		got.Damaged = ""
		head, err := got.Primary()
		if err != nil {
			return // a foreign table may begin before LBA 34
		}
		tail, err := got.Backup()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(image{got.Sectors, head, tail}, got.Sectors)
		if err != nil || !cmp.Equal(got, back) {
			t.Fatalf("%v: %s", err, cmp.Diff(got, back))
		}
	})
}
