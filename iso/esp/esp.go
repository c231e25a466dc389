// Package esp makes the FAT image of an EFI system partition (UEFI 2.10,
// section 13.3) from a few small files: what firmware starts from optical media
// (through El Torito) and from disks (through GPT) alike. The file system is
// laid out by go-diskfs; this package fixes size, order, times and serial
// number, so that equal files give an equal image.
//
// Left out: FAT32 (below 65525 clusters it breaks the FAT specification), files
// that change later, and images of 32 MiB or more, whose length El Torito's
// 16-bit count of 512-byte sectors cannot state. Package iso calls it.
package esp

import (
	"bytes"
	"encoding/binary"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/diskfs/go-diskfs/filesystem"
	"github.com/diskfs/go-diskfs/filesystem/fat12"
	"github.com/diskfs/go-diskfs/filesystem/fat16"

	"caisson.dev/caisson/internal/digest"
)

const (
	step    = 1 << 20   // images are whole MiB
	slack   = 512 << 10 // tables, directories, cluster ends
	maxSize = 31 << 20  // the largest whole MiB below 32
	// largest12 is the last size that go-diskfs lays out well as FAT12; its
	// cluster table makes 8 MiB the point where 4 KiB clusters begin.
	largest12 = 16 << 20
)

// Image is a FAT12 or FAT16 file system with the files, whose paths are relative
// and use slashes. epoch (Unix seconds, from 1980 on) is the only time in it,
// label (up to 11 of A-Z 0-9 _) its name.
func Image(files map[string][]byte, label string, epoch int64) ([]byte, error) {
	if label == "" || len(label) > 11 || strings.Trim(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return nil, Invalid.New("cannot make the EFI system partition: have label %q, need 1 to 11 of A-Z, 0-9 and _", label)
	}
	at := time.Unix(epoch, 0).UTC()
	if at.Year() < 1980 || at.Year() > 2107 {
		return nil, Invalid.New("cannot make the EFI system partition: have the year %d, need 1980 to 2107", at.Year())
	}
	total := int64(slack)
	for p, b := range files {
		if p == "" || path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(p, "..") {
			return nil, Invalid.New("cannot make the EFI system partition: have path %q, need a clean relative one", p)
		}
		if len(b) == 0 { // go-diskfs gives such a file a cluster, which fsck.vfat takes away
			return nil, Invalid.New("cannot make the EFI system partition: have %q without content, need one byte or more", p)
		}
		total += int64(len(b)) + 16<<10 // an end of cluster and a share of directories each
	}
	total = (total + step - 1) / step * step
	if total > maxSize {
		return nil, TooLarge.New("cannot make the EFI system partition: have files for %d bytes, need %d or fewer", total, maxSize)
	}
	m := &memory{b: make([]byte, total)}
	fs, err := create(m, total, label)
	if err != nil {
		return nil, err
	}
	if err := fill(fs, files); err != nil {
		return nil, err
	}
	if err := stamp(fs, files, label, at); err != nil {
		return nil, err
	}
	release(m.b, total <= largest12)
	serial(m.b, files)
	return m.b, nil
}

func create(m *memory, size int64, label string) (filesystem.FileSystem, error) {
	if size <= largest12 {
		return fat12.Create(m, size, 0, 512, label, true)
	}
	return fat16.Create(m, size, 0, 512, label, true)
}

func fill(fs filesystem.FileSystem, files map[string][]byte) error {
	for _, p := range slices.Sorted(maps.Keys(files)) {
		if dir := path.Dir(p); dir != "." {
			if err := fs.Mkdir("/" + dir); err != nil {
				return err
			}
		}
		f, err := fs.OpenFile("/"+p, os.O_CREATE|os.O_RDWR)
		if err != nil {
			return err
		}
		if _, err := f.Write(files[p]); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// stamp replaces the clock's time, which go-diskfs writes, in every entry: files,
// directories, their "." and "..", and the label.
func stamp(fs filesystem.FileSystem, files map[string][]byte, label string, at time.Time) error {
	entry := label // an entry like a file's, with 8 characters before the dot
	if len(label) > 8 {
		entry = label[:8] + "." + label[8:]
	}
	paths := map[string]bool{"/" + entry: true}
	for p := range files {
		paths["/"+p] = true
		for d := path.Dir(p); d != "."; d = path.Dir(d) {
			paths["/"+d], paths["/"+d+"/."], paths["/"+d+"/.."] = true, true, true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if err := fs.Chtimes(p, at, at, at); err != nil {
			return err
		}
	}
	return nil
}

// serial writes a volume serial number that names the content: byte 39 of the
// boot sector (FAT specification, section 3.2).
func serial(image []byte, files map[string][]byte) {
	var all bytes.Buffer
	for _, p := range slices.Sorted(maps.Keys(files)) {
		all.WriteString(p + "\x00" + string(digest.Of(files[p])))
	}
	id := digest.New()
	id.Write(all.Bytes())
	binary.LittleEndian.PutUint32(image[39:], binary.LittleEndian.Uint32(id.Sum(nil)))
}

// release frees cluster 2 in both tables. go-diskfs marks it as used although
// FAT12 and FAT16 have their root directory elsewhere, and fsck.vfat says so.
func release(image []byte, fat12 bool) {
	first := int(binary.LittleEndian.Uint16(image[14:])) * 512
	length := int(binary.LittleEndian.Uint16(image[22:])) * 512
	for _, table := range [][]byte{image[first:], image[first+length:]} {
		if fat12 { // entry 2 is the 12 bits from byte 3
			table[3], table[4] = 0, table[4]&0xF0
		} else {
			table[4], table[5] = 0, 0
		}
	}
}
