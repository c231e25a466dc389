package gpt

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// GUID is a GUID in its on-disk form: the first three groups little endian, the
// last two big endian (UEFI 2.10, appendix A). The zero value is "unused".
type GUID [16]byte

// Partition types. ESP: UEFI 2.10 section 5.3.3. The others: UAPI group,
// Discoverable Partitions Specification.
var (
	ESP               = mustGUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B") // EFI system partition
	BIOSBoot          = mustGUID("21686148-6449-6E6F-744E-656564454649") // GRUB's BIOS boot partition
	BasicData         = mustGUID("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7") // data that no system should mount by itself
	LinuxGeneric      = mustGUID("0FC63DAF-8483-4772-8E79-3D69D8477DE4") // Linux data
	LinuxRootX86      = mustGUID("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709") // root, x86-64
	LinuxRootVerity   = mustGUID("2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5") // verity data of root, x86-64
	LinuxUsrX86       = mustGUID("8484680C-9521-48C6-9C11-B0720656F69E") // /usr, x86-64
	LinuxVar          = mustGUID("4D21B016-B534-45C2-A9FB-5C16E091FD2D") // /var
	LinuxSwap         = mustGUID("0657FD6D-A4AB-43C4-84E5-0933C84B4F4F") // swap
	LinuxExtendedBoot = mustGUID("BC13C2FF-59E6-4262-A352-B275FD6F7172") // XBOOTLDR
)

// Attribute bits of a partition (UEFI 2.10 table 5.8; bits 60 and 63: the
// Discoverable Partitions Specification).
const (
	AttrRequired uint64 = 1 << 0  // the platform needs it: tools must not delete it
	AttrReadOnly uint64 = 1 << 60 // mount read-only
	AttrNoAuto   uint64 = 1 << 63 // do not mount by discovery
)

// ParseGUID reads the 8-4-4-4-12 form, in either case.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	bad := fmt.Errorf("cannot read GUID %q: want the form 01234567-89AB-CDEF-0123-456789ABCDEF", s)
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return g, bad
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 {
		return g, bad
	}
	return fromBigEndian(raw), nil
}

func mustGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(err) // a literal of this file; the tests load it
	}
	return g
}

// FromHash makes the same GUID of the same parts, always: version 8 (RFC 9562
// section 5.8) over SHA-256, so that an image or disk made twice is the same
// twice. The parts are length-prefixed: ("a","bc") and ("ab","c") differ.
func FromHash(parts ...string) GUID {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	raw := h.Sum(nil)[:16]
	raw[6] = raw[6]&0x0F | 0x80
	raw[8] = raw[8]&0x3F | 0x80
	return fromBigEndian(raw)
}

// fromBigEndian turns the written order into the on-disk order.
func fromBigEndian(raw []byte) GUID {
	var g GUID
	copy(g[:], raw)
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5] = g[5], g[4]
	g[6], g[7] = g[7], g[6]
	return g
}

// String is the upper-case 8-4-4-4-12 form that sgdisk and UEFI print.
func (g GUID) String() string {
	return fmt.Sprintf("%08X-%04X-%04X-%04X-%012X",
		binary.LittleEndian.Uint32(g[0:]), binary.LittleEndian.Uint16(g[4:]),
		binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// MarshalText writes what String writes, so that a Plan or Record shows it.
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads what ParseGUID reads.
func (g *GUID) UnmarshalText(b []byte) error {
	p, err := ParseGUID(string(b))
	*g = p
	return err
}
