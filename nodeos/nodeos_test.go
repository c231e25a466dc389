package nodeos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

var image = bundle.OSImage{
	Version: "13.7-20260921141320.73956bbccbe1", Size: 162426880, HashOffset: 161144832,
	RootHash: "e719b403d4a54fc7c704ef535a5bc9d6f0ce14dad2261d7c73144d804ee30eda",
	Boot:     map[string]bundle.Blob{Shim: {Size: 1}, MokManager: {Size: 2}, SystemdBoot: {Size: 3}, Kernel: {Size: 4}, Initrd: {Size: 5}},
}

var disk = Disk{Slot: "a", Image: "11111111-1111-4111-8111-111111111111",
	State: "22222222-2222-4222-8222-222222222222", ESP: "33333333-3333-4333-8333-333333333333"}

const serial = "ttyS0,115200"

// TestBootTexts keeps every word that firmware, loader, kernel and initramfs
// read: this text is what was started in QEMU.
func TestBootTexts(t *testing.T) {
	installed := InstalledArgs(disk, image, serial)
	path, entry := Entry(image.Version, installed, 3)
	var b strings.Builder
	b.WriteString("live: " + strings.Join(LiveArgs("CAISSON_0123ABCD", strings.Repeat("ab", 32), serial), " ") + "\n\n")
	b.WriteString(path + ":\n" + entry + "\n")
	b.WriteString(LoaderConfPath + ":\n" + LoaderConf())
	golden.Equal(t, "boot.txt", []byte(b.String()))
}

// TestArgsFit: the kernel takes 2047 characters (COMMAND_LINE_SIZE, x86), and
// the live line shares isolated words only, for grub.cfg splits at blanks.
func TestArgsFit(t *testing.T) {
	for _, args := range [][]string{InstalledArgs(disk, image, serial), LiveArgs(strings.Repeat("A", 32), strings.Repeat("ab", 32), serial)} {
		line := strings.Join(args, " ")
		if len(line) > 1024 {
			t.Errorf("kernel line has %d characters, want at most 1024: %s", len(line), line)
		}
		for _, a := range args {
			if strings.ContainsAny(a, " \t\n\"'$\\;{}") {
				t.Errorf("argument %q needs quoting in grub.cfg or a loader entry", a)
			}
		}
	}
}

// TestSerialConsole: one port at one speed, behind the screen, in both boots.
func TestSerialConsole(t *testing.T) {
	for name, args := range map[string][]string{"live": LiveArgs("L", "ab", "ttyS1,9600"), "installed": InstalledArgs(disk, image, "ttyS1,9600")} {
		line := strings.Join(args, " ")
		if !strings.HasSuffix(line, " console=tty0 console=ttyS1,9600") || strings.Contains(line, "ttyS0") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

func TestEntryWithoutCounter(t *testing.T) {
	path, _ := Entry("13.7-1.ab", nil, 0)
	if path != "/loader/entries/caisson-13.7-1.ab.conf" {
		t.Errorf("path = %s", path)
	}
}

func TestESPFiles(t *testing.T) {
	files, err := ESPFiles(image)
	if err != nil {
		t.Fatal(err)
	}
	b, err := canon.JSON(files)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "esp.json", b)
	lacking := image
	lacking.Boot = map[string]bundle.Blob{Shim: {Size: 1}}
	if _, err := ESPFiles(lacking); !bootPieceMissing.Is(err) {
		t.Errorf("an image without kernel: %v, want OS-BOOT-PIECE-MISSING", err)
	}
}

// TestFstabAgrees holds the image's fstab against Binds and EtcOptions: the
// installer mounts by these, the node by that.
func TestFstabAgrees(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("build", "tree", "etc", "fstab"))
	if err != nil {
		t.Fatal(err)
	}
	binds := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case f[1] == "/etc":
			if !strings.HasSuffix(f[3], EtcOptions("/sysroot")) || !strings.Contains(f[3], "x-initrd.mount") {
				t.Errorf("fstab mounts /etc with %s, want %s from the initramfs", f[3], EtcOptions("/sysroot"))
			}
		default:
			binds[f[1]] = f[0]
		}
	}
	dirs := map[string]bool{}
	for _, d := range StateDirs() {
		if dirs[d.Path] {
			t.Errorf("%s twice in StateDirs", d.Path)
		}
		dirs[d.Path] = true
	}
	for _, b := range Binds() {
		if binds[b.Path] != "/var/bind/"+b.Name {
			t.Errorf("fstab mounts %q on %s, want /var/bind/%s", binds[b.Path], b.Path, b.Name)
		}
		if !dirs["bind/"+b.Name] {
			t.Errorf("StateDirs lacks bind/%s", b.Name)
		}
		delete(binds, b.Path)
	}
	if len(binds) > 0 {
		t.Errorf("fstab mounts what Binds does not name: %v", binds)
	}
}

func TestSlotSize(t *testing.T) {
	for have, want := range map[int64]size.Bytes{1: size.GiB, 162426880: size.GiB, 600 << 20: 2 * size.GiB, int64(2 * size.GiB): 4 * size.GiB} {
		if got := SlotSize(bundle.OSImage{Size: have}); got != want {
			t.Errorf("SlotSize(%d) = %s, want %s", have, got, want)
		}
	}
}

func TestWants(t *testing.T) {
	var e spec.Enclave
	spec.Default(&e)
	b, err := canon.JSON(Wants(e))
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "wants.json", b)

	off := false
	e.OS = spec.OS{Mirror: "https://mirror.example/archive/debian/", Security: spec.NoSecurity, Snapshot: "20261101T000000Z",
		Firmware: &off, Microcode: &off, Packages: []string{"tcpdump", "less"}}
	d := Wants(e)[0].Debian
	if d.Mirror != "https://mirror.example/archive/debian/20261101T000000Z" || d.Security != "" {
		t.Errorf("mirror %q, security %q", d.Mirror, d.Security)
	}
	all := " " + strings.Join(d.Packages, " ") + " "
	if strings.Contains(all, "firmware") || strings.Contains(all, "microcode") || strings.Count(all, " less ") != 1 || !strings.HasSuffix(all, " tcpdump ") {
		t.Errorf("packages: %s", all)
	}
}
