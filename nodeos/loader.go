package nodeos

import (
	"fmt"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
)

// Paths on the installed disk's ESP (UAPI.1 Boot Loader Specification).
const (
	EntryDir       = "/loader/entries"
	LoaderConfPath = "/loader/loader.conf"
)

// ESPFile is a file of the ESP: a boot piece under its place there.
type ESPFile struct {
	Path  string // absolute on the ESP, slashes
	Piece string // key of bundle.OSImage.Boot
	Blob  bundle.Blob
}

// ESPFiles are the boot pieces of a version, without its entry, sorted by Path.
// Shim loads grubx64.efi from its own folder, whatever program that is: here it
// is systemd-boot. Kernel and initramfs lie in a folder of their version, so an
// update never touches the running one. A piece that os lacks is an error.
func ESPFiles(os bundle.OSImage) ([]ESPFile, error) {
	files := []ESPFile{
		{Path: "/EFI/BOOT/BOOTX64.EFI", Piece: Shim},
		{Path: "/EFI/BOOT/grubx64.efi", Piece: SystemdBoot},
		{Path: "/EFI/BOOT/mmx64.efi", Piece: MokManager},
		{Path: versionDir(os.Version) + "/initrd", Piece: Initrd},
		{Path: versionDir(os.Version) + "/vmlinuz", Piece: Kernel},
	}
	for i := range files {
		b, ok := os.Boot[files[i].Piece]
		if !ok {
			return nil, bootPieceMissing.New("cannot lay out the boot partition: the OS image %s has no boot piece %q, has %q",
				os.Version, files[i].Piece, pieces(os)).
				Hint("the medium is not complete: make it again with this version of caisson")
		}
		files[i].Blob = b
	}
	return files, nil
}

func pieces(os bundle.OSImage) string {
	var names []string
	for name := range os.Boot {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func versionDir(version string) string { return "/caisson/" + version }

// Entry is the boot loader entry of a version: its path on the ESP and its text
// (UAPI.1, type 1). With tries above 0 the name carries the boot counter
// (systemd.io/AUTOMATIC_BOOT_ASSESSMENT): each start takes one, and a version
// that never passes the health gate is sorted behind the others. Remove a
// version's earlier entry first: two with one name must never exist at once.
func Entry(version string, args []string, tries int) (path, text string) {
	counter := ""
	if tries > 0 {
		counter = fmt.Sprintf("+%d", tries)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "title Caisson node %s\n", version)
	fmt.Fprintf(&b, "sort-key caisson\n")
	fmt.Fprintf(&b, "version %s\n", version)
	fmt.Fprintf(&b, "linux %s/vmlinuz\n", versionDir(version))
	fmt.Fprintf(&b, "initrd %s/initrd\n", versionDir(version))
	fmt.Fprintf(&b, "options %s\n", strings.Join(args, " "))
	return EntryDir + "/caisson-" + version + counter + ".conf", b.String()
}

// LoaderConf is systemd-boot's configuration (loader.conf(5)): it starts the
// newest version that is not marked bad. The editor is off: with it anyone at
// the keyboard could start the node as root.
func LoaderConf() string {
	return `timeout 3
editor no
auto-entries no
auto-firmware no
console-mode keep
secure-boot-enroll off
`
}
