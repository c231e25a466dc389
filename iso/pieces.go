package iso

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"io"
	"io/fs"
	"slices"
	"strings"

	"caisson.dev/caisson/iso/iso9660"
)

// check refuses a file that Secure Boot would refuse on site: the three must be
// x86-64 EFI programs that carry a signature.
func (e EFI) check() error {
	for _, p := range []struct {
		name string
		b    []byte
	}{{"shim", e.Shim}, {"GRUB", e.Grub}, {"MokManager", e.MokManager}} {
		f, err := pe.NewFile(bytes.NewReader(p.b))
		if err != nil {
			return BadPiece.New("cannot use %s: have %d bytes that are no EFI program (%w), need one", p.name, len(p.b), err)
		}
		h, ok := f.OptionalHeader.(*pe.OptionalHeader64)
		if !ok || f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 {
			return BadPiece.New("cannot use %s: have a program for machine %#x, need x86-64 (%#x)", p.name, f.Machine, pe.IMAGE_FILE_MACHINE_AMD64)
		}
		if h.NumberOfRvaAndSizes <= pe.IMAGE_DIRECTORY_ENTRY_SECURITY || h.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_SECURITY].Size == 0 {
			return BadPiece.New("cannot use %s: have a program without a signature, need a signed one", p.name).
				Hint("Secure Boot would refuse the medium: take the file whose name ends in .efi.signed")
		}
	}
	return nil
}

// BIOS is GRUB for machines without UEFI.
type BIOS struct {
	MBR     []byte            // boot_hybrid.img: the first 440 bytes are boot code
	Image   []byte            // eltorito.img: GRUB's core, which reads ISO 9660
	Modules map[string][]byte // file name -> content: what the menu needs
}

// MenuModules are the GRUB modules that the menu uses; their dependencies come
// along.
var MenuModules = []string{
	"normal", "configfile", "search", "search_fs_file", "iso9660", "part_gpt", "part_msdos", "biosdisk",
	"linux", "gzio", "serial", "terminal", "test", "echo", "sleep", "halt", "reboot", "all_video", "minicmd", "ls",
}

// ReadBIOS takes GRUB for BIOS out of grub-rescue-cdrom.iso (Debian package
// grub-rescue-pc), of size bytes, with boot_hybrid.img (grub-pc-bin) as MBR:
// the image is prebuilt there, so no grub-mkimage is needed.
func ReadBIOS(rescue io.ReaderAt, size int64, hybrid []byte) (*BIOS, error) {
	fsys, err := iso9660.Open(rescue, size)
	if err != nil {
		return nil, BadPiece.New("cannot read grub-rescue-cdrom.iso: %w", err)
	}
	dir, err := fs.Sub(fsys, strings.TrimSuffix(biosDir, "/"))
	if err != nil {
		return nil, err
	}
	b := &BIOS{MBR: hybrid, Modules: map[string][]byte{}}
	take := func(name string) []byte {
		content, err2 := fs.ReadFile(dir, name)
		if err2 != nil && err == nil {
			err = BadPiece.New("cannot take GRUB for BIOS from grub-rescue-cdrom.iso: have no %s (%w), need it", name, err2)
		}
		return content
	}
	b.Image = take("eltorito.img")
	deps := take("moddep.lst")
	b.Modules["moddep.lst"], b.Modules["command.lst"], b.Modules["terminal.lst"] = deps, take("command.lst"), take("terminal.lst")
	names := closure(deps, MenuModules)
	for _, name := range names {
		b.Modules[name+".mod"] = take(name + ".mod")
	}
	// GRUB tries these on a partition that it does not know: only what is there.
	var list []string
	for _, name := range strings.Fields(string(take("fs.lst"))) {
		if slices.Contains(names, name) {
			list = append(list, name)
		}
	}
	b.Modules["fs.lst"] = []byte(strings.Join(list, "\n") + "\n")
	if err != nil {
		return nil, err
	}
	return b, b.check()
}

// closure reads lines of "module: dependency ..." and follows them.
func closure(moddep []byte, roots []string) []string {
	needs := map[string][]string{}
	for line := range strings.Lines(string(moddep)) {
		if name, rest, ok := strings.Cut(line, ":"); ok {
			needs[name] = strings.Fields(rest)
		}
	}
	var out []string
	for queue := slices.Clone(roots); len(queue) > 0; queue = queue[1:] {
		if !slices.Contains(out, queue[0]) {
			out = append(out, queue[0])
			queue = append(queue, needs[queue[0]]...)
		}
	}
	slices.Sort(out)
	return out
}

const (
	bootCode    = 440  // bytes of boot code in an MBR
	coreSector  = 432  // u64 in the MBR: 512-byte sector of GRUB's core
	cdCore      = 2548 // u64 in eltorito.img: 512-byte sector of GRUB's core
	infoTable   = 8    // boot information table: 56 bytes
	infoCovered = 64   // where its checksum begins
)

func (b BIOS) check() error {
	if len(b.MBR) < bootCode || b.MBR[0] == 0 {
		return BadPiece.New("cannot use boot_hybrid.img: have %d bytes, need %d of boot code", len(b.MBR), bootCode)
	}
	if len(b.Image) < 4*512+infoCovered || len(b.Image) > 1<<20 {
		return BadPiece.New("cannot use eltorito.img: have %d bytes, need GRUB's core of 2112 to 1048576", len(b.Image))
	}
	return nil
}

// patched is the El Torito image as it must stand at offset (bytes): with GRUB's
// block list, and with the boot information table of ISOLINUX and GRUB.
func (b BIOS) patched(offset int64) []byte {
	out := bytes.Clone(b.Image)
	le := binary.LittleEndian
	le.PutUint64(out[cdCore:], uint64(offset/512+5))
	clear(out[infoTable:infoCovered])
	sum := uint32(0)
	for at := infoCovered; at < len(out); at += 4 {
		var word [4]byte
		copy(word[:], out[at:])
		sum += le.Uint32(word[:])
	}
	le.PutUint32(out[8:], iso9660.SystemArea/iso9660.SectorSize)
	le.PutUint32(out[12:], uint32(offset/iso9660.SectorSize))
	le.PutUint32(out[16:], uint32(len(out)))
	le.PutUint32(out[20:], sum)
	return out
}

// boot is the MBR's boot code for an El Torito image at offset (bytes).
func (b BIOS) boot(offset int64) []byte {
	out := bytes.Clone(b.MBR[:bootCode])
	binary.LittleEndian.PutUint64(out[coreSector:], uint64(offset/512+4))
	return out
}
