package iso9660

import (
	"encoding/binary"
	"time"
)

// Platform is who boots an image (El Torito, section 2.1; UEFI 2.10 section
// 13.3.2.1 for EFI).
type Platform byte

const (
	BIOS Platform = 0x00
	EFI  Platform = 0xEF
)

// Boot makes a file of the volume an El Torito boot image, without emulation.
type Boot struct {
	Platform Platform
	Path     string
}

// metadata is everything between the system area and the first file.
func (l *Layout) metadata() []byte {
	out := l.primaryDescriptor()
	if len(l.volume.Boot) > 0 {
		out = append(out, l.bootRecord()...)
	}
	out = append(out, padded([]byte("\xFFCD001\x01"))...)
	if len(l.volume.Boot) > 0 {
		out = append(out, l.bootCatalog()...)
	}
	out = append(out, padded(erField())...)
	for _, d := range l.dirs {
		out = append(out, l.directory(d)...)
	}
	out = append(out, padded(pathTable(l.dirs, false))...)
	return append(out, padded(pathTable(l.dirs, true))...)
}

func padded(b []byte) []byte {
	return append(b, make([]byte, roundUp(int64(len(b)), SectorSize)-int64(len(b)))...)
}

// primaryDescriptor is ECMA-119 section 8.4.
func (l *Layout) primaryDescriptor() []byte {
	b := make([]byte, SectorSize)
	text := func(from, to int, s string) { // unused text fields hold spaces
		for i := from; i < to; i++ {
			b[i] = ' '
		}
		copy(b[from:to], s)
	}
	copy(b, "\x01CD001\x01")
	text(8, 40, "LINUX")
	text(40, 72, l.volume.Label)
	both32(b[80:], uint32(l.size/SectorSize))
	both16(b[120:], 1)
	both16(b[124:], 1)
	both16(b[128:], SectorSize)
	both32(b[132:], uint32(len(pathTable(l.dirs, false))))
	binary.LittleEndian.PutUint32(b[140:], uint32(l.lPath))
	binary.BigEndian.PutUint32(b[148:], uint32(l.mPath))
	copy(b[156:], record("\x00", piece{l.root.sector, l.root.size, true}, true, l.volume.Epoch, nil))
	text(190, 813, "")
	text(574, 702, l.volume.Application)
	now := time.Unix(l.volume.Epoch, 0).UTC().Format("20060102150405") + "00\x00"
	never := "0000000000000000\x00"
	copy(b[813:], now+now+never+now)
	b[881] = 1
	return b
}

// bootRecord is the El Torito volume descriptor, section 2.0 of that paper.
func (l *Layout) bootRecord() []byte {
	b := make([]byte, SectorSize)
	copy(b, "\x00CD001\x01EL TORITO SPECIFICATION")
	binary.LittleEndian.PutUint32(b[71:], uint32(l.catalog))
	return b
}

// bootCatalog holds the validation entry, the default entry, and a section of
// one entry for each further image.
func (l *Layout) bootCatalog() []byte {
	b := make([]byte, SectorSize)
	le := binary.LittleEndian
	b[0], b[1] = 0x01, byte(l.volume.Boot[0].Platform)
	b[30], b[31] = 0x55, 0xAA
	sum := uint16(0)
	for i := 0; i < 32; i += 2 {
		sum += le.Uint16(b[i:])
	}
	le.PutUint16(b[28:], -sum)
	at := 32
	for i, boot := range l.volume.Boot {
		if i > 0 {
			b[at], b[at+1], b[at+2] = 0x90, byte(boot.Platform), 1
			if i == len(l.volume.Boot)-1 {
				b[at] = 0x91 // the last section
			}
			at += 32
		}
		image := l.byPath[boot.Path]
		// The load size is in sectors of 512 bytes. A BIOS loads the first four,
		// which load the rest; UEFI takes it as the size of the file system.
		load := int64(4)
		if boot.Platform == EFI {
			load = min((image.size+511)/512, 0xFFFF)
		}
		b[at] = 0x88
		le.PutUint16(b[at+6:], uint16(load))
		le.PutUint32(b[at+8:], uint32(image.sector))
		at += 32
	}
	return b
}

// pathTable is ECMA-119 section 9.4, in either byte order.
func pathTable(dirs []*node, big bool) []byte {
	var out []byte
	var order binary.AppendByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	for _, d := range dirs {
		out = append(out, byte(len(d.id)), 0)
		out = order.AppendUint32(out, uint32(d.sector))
		out = order.AppendUint16(out, uint16(d.parent.number))
		out = append(out, d.id...)
		if len(d.id)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out
}
