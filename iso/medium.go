// Package iso turns a bundle's files into the bytes of one bootable medium: a
// hybrid of ISO 9660, El Torito, GPT and MBR that starts from an optical drive,
// a USB stick it was copied to, or virtual media, under UEFI, UEFI with Secure
// Boot, and BIOS.
//
// The flow: New(Medium) lays out everything but the files that name all others
// (the manifest and its signature); Draft.Files lists what they must name, boot
// files included; Draft.Seal adds them; Image.WriteTo streams the image once,
// checking every file on the way. Equal input gives equal bytes.
//
// Left out: what the files mean (package bundle), where boot loaders come from
// (package sources), and other architectures than x86-64.
package iso

import (
	"io"
	"regexp"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/digest"
)

// Where boot files lie on the medium, besides those that BIOS brings.
const (
	KernelPath = "boot/vmlinuz"           // the caller's
	InitrdPath = "boot/initrd.img"        // the caller's
	ConfigPath = "boot/grub/grub.cfg"     // made here; also in the ESP
	ESPPath    = "boot/grub/efi.img"      // made here
	InfoPath   = ".disk/info"             // made here; gcdx64 searches it
	markDir    = ".disk/"                 // + release: what grub.cfg searches
	biosDir    = "boot/grub/i386-pc/"     // GRUB for BIOS, made from pieces
	biosImage  = biosDir + "eltorito.img" // patched with its own place
)

// commandMax is COMMAND_LINE_SIZE of x86 Linux, less the closing zero.
const commandMax = 2047

// Medium is what an image is made of.
type Medium struct {
	Label   string // volume label: 1 to 32 of A-Z 0-9 _
	Release string // unique name of this medium: letters, digits, . _ + -
	Title   string // what the menu calls it: printable ASCII without ' and \
	Epoch   int64  // SOURCE_DATE_EPOCH: the only time in the image
	Files   []File // in the order in which their data shall lie
	// Sealed are the paths of the files that Draft.Seal brings. They lie last.
	Sealed  []string
	EFI     EFI
	BIOS    *BIOS  // nil: the medium boots under UEFI only
	Command string // kernel command line of every menu entry
	Entries []Entry
}

// File is one file of the caller's, whose size and digest are known.
type File struct {
	Path   string // relative to the medium's root
	Size   int64
	Digest digest.Digest
	Open   func() (io.ReadCloser, error)
	// Trusted: the bytes were compared with Digest a short time ago (bundle.Store
	// knows) and are not hashed again where the kernel can copy them.
	Trusted bool
}

// EFI holds the signed programs of the UEFI boot chain, as Debian ships them.
type EFI struct {
	Shim       []byte // shimx64.efi.signed (shim-signed)
	Grub       []byte // gcdx64.efi.signed (grub-efi-amd64-signed)
	MokManager []byte // mmx64.efi.signed (shim-helpers-amd64-signed)
}

// Entry is one entry of the boot menu. The first is the default.
type Entry struct {
	ID    string // letters and digits
	Title string // as Medium.Title
	Extra string // kernel arguments behind Medium.Command
}

// Listed is a file of the medium as the manifest names it.
type Listed struct {
	Path   string
	Size   int64
	Digest digest.Digest
	Made   bool // made by this package, not given by the caller
}

var (
	releaseForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)
	titleForm   = regexp.MustCompile(`^[ -&(-\[\]-~]{1,70}$`) // printable ASCII without ' and \
	commandForm = regexp.MustCompile(`^[ -&(-\[\]-~]*$`)
)

func (m Medium) check() error {
	if !releaseForm.MatchString(m.Release) || m.Release == "info" {
		return BadMedium.New("cannot make a medium: have release %q, need 1 to 100 letters, digits and . _ + -", m.Release)
	}
	if !titleForm.MatchString(m.Title) {
		return BadMedium.New("cannot make a medium: have title %q, need 1 to 70 printable ASCII characters without ' and \\", m.Title)
	}
	if len(m.Entries) == 0 {
		return BadMedium.New("cannot make a medium: have a boot menu with no entry, need one")
	}
	seen := map[string]bool{"reboot": true, "poweroff": true}
	for _, e := range m.Entries {
		if !idForm.MatchString(e.ID) || seen[e.ID] || !titleForm.MatchString(e.Title) {
			return BadMedium.New("cannot make a boot menu: have entry %q with title %q, need an id and a title of its own", e.ID, e.Title)
		}
		seen[e.ID] = true
		if line := command(m.Command, e.Extra); len(line) > commandMax || !commandForm.MatchString(line) {
			return BadMedium.New("cannot make menu entry %s: have a kernel command line of %d characters, need %d or fewer of printable ASCII without ' and \\", e.ID, len(line), commandMax)
		}
	}
	for _, need := range []string{KernelPath, InitrdPath} {
		if !slices.ContainsFunc(m.Files, func(f File) bool { return f.Path == need }) {
			return BadMedium.New("cannot make a medium: have no file %s, need it to boot", need)
		}
	}
	for _, f := range m.Files {
		if _, err := digest.Parse(string(f.Digest)); err != nil || f.Open == nil {
			return BadMedium.New("cannot put %s on the medium: have digest %q, need one and a way to open it", f.Path, f.Digest)
		}
	}
	return m.EFI.check()
}

// command joins the arguments that all entries share with those of one.
func command(parts ...string) string {
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
