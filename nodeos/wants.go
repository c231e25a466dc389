package nodeos

import (
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/spec"
)

// The names of what Wants asks for.
const (
	WantBase     = "os/base"
	WantBoot     = "os/boot"
	WantIgnition = "os/ignition"
	// Ignition is the artifact of WantIgnition.
	Ignition = WantIgnition + "/ignition"
)

// Boot pieces: the artifacts of WantBoot are WantBoot + "/" + one of these.
const (
	Shim        = "shim"         // signed by Microsoft; loads grubx64.efi from its folder
	MokManager  = "mokmanager"   // for enrolling own keys
	GRUB        = "grub"         // signed, built for removable media: the medium's loader
	SystemdBoot = "systemd-boot" // signed: the installed disk's loader
	GRUBRescue  = "grub-rescue"  // an ISO that holds GRUB for BIOS, prebuilt, with its modules
	GRUBHybrid  = "grub-hybrid"  // BIOS boot code for the medium's first sector
	Kernel      = "vmlinuz"      // made by nodeos/build
	Initrd      = "initrd"       // made by nodeos/build
)

// basePackages is the node OS beyond Debian's Essential and required packages.
// Kubernetes itself, containerd and runc are not here: they belong to a profile.
// Left out on purpose: xfsprogs (Python and ICU, 60 MB), ebtables (Perl, 48 MB;
// iptables has the nft variant), any resolver or mail program.
var basePackages = []string{
	// the system and its boot
	"systemd", "systemd-sysv", "udev", "dbus", "libpam-systemd", "systemd-timesyncd",
	"systemd-boot",       // bless-boot and its generator: boot counting
	"systemd-cryptsetup", // veritysetup's unit generator
	"cryptsetup-bin", "dmsetup", "dracut", "dracut-live", "linux-image-amd64", "kmod", "zstd",
	// disks: what the installer calls
	"util-linux", "mount", "fdisk", "dosfstools", "e2fsprogs", "libblkid1", "passwd",
	// storage over the network, for CSI drivers
	"nvme-cli", "open-iscsi",
	// network, as kubeadm's preflight and kube-proxy ask for it
	"iproute2", "nftables", "iptables", "conntrack", "ethtool", "socat", "iputils-ping",
	"apparmor", // the parser: containerd loads its default profile with it
	// people
	"openssh-server", "openssh-client", "sudo", "ca-certificates", "procps", "bsdextrautils", "less", "vim-tiny",
}

// firmwarePackages is firmware of server network cards and host bus adapters,
// 58 MB unpacked. Wireless, sound, phones and graphics are left out: a Spec adds
// them in os.packages (firmware-amd-graphics alone is 92 MB).
var firmwarePackages = []string{
	"firmware-ast", "firmware-bnx2", "firmware-bnx2x", "firmware-cavium", "firmware-intel-misc", "firmware-linux-free",
	"firmware-misc-nonfree", "firmware-myricom", "firmware-netxen", "firmware-qlogic", "firmware-realtek",
}

var microcodePackages = []string{"amd64-microcode", "intel-microcode"}

// bootFiles are the boot pieces, taken unchanged out of Debian's packages so that
// their signatures hold: Debian's shim carries Microsoft's, the rest Debian's.
var bootFiles = map[string]struct{ deb, path string }{
	Shim:        {"shim-signed", "/usr/lib/shim/shimx64.efi.signed"},
	MokManager:  {"shim-helpers-amd64-signed", "/usr/lib/shim/mmx64.efi.signed"},
	GRUB:        {"grub-efi-amd64-signed", "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"},
	SystemdBoot: {"systemd-boot-efi-amd64-signed", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed"},
	GRUBRescue:  {"grub-rescue-pc", "/usr/lib/grub-rescue/grub-rescue-cdrom.iso"},
	GRUBHybrid:  {"grub-pc-bin", "/usr/lib/grub/i386-pc/boot_hybrid.img"},
}

// ignitionVersion is what the node configuration is written for (spec 3.5).
const ignitionVersion = "v2.24.0"

// Wants are the node OS's inputs for an enclave with its defaults filled in.
func Wants(e spec.Enclave) []bundle.Want {
	base, boot := Debian(e.OS), Debian(e.OS)
	base.Base, base.Components, base.Packages = true, []string{"main", "non-free-firmware"}, packages(e.OS)
	boot.NoDeps, boot.Extract = true, map[string]string{}
	for name, f := range bootFiles {
		boot.Extract[name] = f.path
		boot.Packages = append(boot.Packages, f.deb)
	}
	slices.Sort(boot.Packages)
	boot.Packages = slices.Compact(boot.Packages)
	const module = "github.com/coreos/ignition/v2"
	return []bundle.Want{
		{Name: WantBase, Debian: &base},
		{Name: WantBoot, Debian: &boot},
		{Name: WantIgnition, Module: &bundle.ModuleWant{
			Path: module, Version: ignitionVersion, Cgo: true, // it links libblkid
			Programs: map[string]string{"ignition": module + "/internal"},
			LDFlags: []string{
				"-X " + module + "/internal/version.Raw=" + strings.TrimPrefix(ignitionVersion, "v"),
				// Debian has neither SELinux labels nor authorized_keys.d.
				"-X " + module + "/internal/distro.selinuxRelabel=false",
				"-X " + module + "/internal/distro.writeAuthorizedKeysFragment=false",
			},
		}},
	}
}

// Debian is a Want with the archives that the Spec names and no packages yet.
// Whoever wants packages for the node starts from it, so that one mirror and
// one snapshot fix them all.
func Debian(os spec.OS) bundle.DebianWant {
	w := bundle.DebianWant{Mirror: mirror(os.Mirror, os.Snapshot), Suite: "trixie", Components: []string{"main"}, Arch: spec.Arch}
	if os.Security != spec.NoSecurity {
		w.Security = mirror(os.Security, os.Snapshot)
	}
	return w
}

// packages is the one ordered list: its order decides how alternatives resolve.
func packages(os spec.OS) []string {
	out := slices.Clone(basePackages)
	if os.Firmware == nil || *os.Firmware {
		out = append(out, firmwarePackages...)
	}
	if os.Microcode == nil || *os.Microcode {
		out = append(out, microcodePackages...)
	}
	for _, p := range os.Packages {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// mirror is the archive as it was at the snapshot: snapshot archives add the
// time to the archive's own address.
func mirror(root, snapshot string) string {
	if snapshot == "" {
		return root
	}
	return strings.TrimSuffix(root, "/") + "/" + snapshot
}
