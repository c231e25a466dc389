// Package isotest is for tests that make media: the least that passes for the
// boot pieces that Debian ships. Nothing of it boots. No program links it.
package isotest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"maps"
	"slices"

	"caisson.dev/caisson/iso/iso9660"
)

// X8664 is the machine of a Program that a medium takes.
const X8664 = 0x8664

// Program is the least that is an EFI program to a reader; one with a signature
// of 0 bytes is unsigned.
func Program(name string, machine uint16, signature uint32) []byte {
	b := make([]byte, 1024, 1024+len(name))
	le := binary.LittleEndian
	copy(b, "MZ")
	le.PutUint32(b[0x3C:], 64)
	copy(b[64:], "PE\x00\x00")
	le.PutUint16(b[68:], machine)
	le.PutUint16(b[84:], 240) // optional header
	le.PutUint16(b[88:], 0x20B)
	le.PutUint32(b[88+108:], 16)
	le.PutUint32(b[88+112+4*8+4:], signature)
	return append(b, name...)
}

// Hybrid stands for boot_hybrid.img.
func Hybrid() []byte { return bytes.Repeat([]byte{0xEB}, 512) }

// Rescue stands for grub-rescue-cdrom.iso: an ISO with the given GRUB modules
// (iso.MenuModules) and what belongs to them, less the file named skip.
func Rescue(modules []string, skip string) ([]byte, error) {
	const dir = "boot/grub/i386-pc/"
	files := map[string][]byte{
		"eltorito.img": bytes.Repeat([]byte("core"), 8000), "moddep.lst": []byte("normal: extcmd test\nextcmd:\nntfs: fshelp\n"),
		"command.lst": []byte("search: search\n"), "terminal.lst": []byte("oserial: serial\n"), "fs.lst": []byte("ntfs\niso9660\n"),
		"extcmd.mod": []byte("extcmd"), "ntfs.mod": []byte("ntfs"),
	}
	for _, name := range modules {
		files[name+".mod"] = []byte(name)
	}
	delete(files, skip)
	v := iso9660.Volume{Label: "RESCUE", Epoch: 1793000000}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		v.Entries = append(v.Entries, iso9660.Entry{Path: dir + name, Size: int64(len(files[name]))})
	}
	l, err := iso9660.Plan(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = l.Write(context.Background(), &out, iso9660.Content{Source: func(p string) (iso9660.Source, error) {
		return iso9660.Source{Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(files[p[len(dir):]])), nil
		}}, nil
	}}, iso9660.Options{})
	return out.Bytes(), err
}
