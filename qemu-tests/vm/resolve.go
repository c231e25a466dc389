package vm

import (
	"os"
	"os/exec"
	"slices"
	"strings"
)

// firmwarePlaces are where distributions put OVMF with and without Microsoft's
// keys, most likely first. Only raw images: the code file is mapped as it is.
var firmwarePlaces = map[Firmware][]FirmwareFiles{
	UEFI: {
		{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},                 // Debian, Ubuntu
		{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},             // Fedora, RHEL
		{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},         // Arch
		{"/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"}, // openSUSE
		{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},                       // older Debian, Alpine
	},
	UEFISecureBoot: {
		{"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"},
		{"/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"},
		{"/usr/share/qemu/ovmf-x86_64-smm-ms-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-ms-4m-vars.bin"},
		{"/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd"},
	},
}

// FindFirmware gives the first pair of firmware files that exists(path) knows,
// both halves from one build. BIOS needs none.
func FindFirmware(kind Firmware, exists func(path string) bool) (FirmwareFiles, error) {
	if kind == BIOS {
		return FirmwareFiles{}, nil
	}
	var tried []string
	for _, f := range firmwarePlaces[kind] {
		if exists(f.Code) && exists(f.Vars) {
			return f, nil
		}
		tried = append(tried, f.Code)
	}
	return FirmwareFiles{}, FirmwareMissing.New("cannot start a virtual machine with %s firmware: have none of %s, need one of them with its variable store",
		kind, strings.Join(tried, ", ")).Hint("install the package ovmf (Debian, Ubuntu) or edk2-ovmf (Fedora, Arch)")
}

// Resolve fills in what depends on this computer (Look) and makes the folder and
// the files that are not there yet. Without a Dir it makes a temporary one.
func Resolve(c Config) (Config, error) {
	var err error
	if c.Dir == "" {
		if c.Dir, err = os.MkdirTemp("", "caisson-vm-"); err != nil {
			return c, StartFailed.New("cannot make a folder for the virtual machine: %w", err)
		}
	} else if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return c, StartFailed.New("cannot make a folder for the virtual machine: %w", err)
	}
	c, missing, err := Look(c)
	if err != nil {
		return c, err
	}
	for _, m := range missing {
		if err := m.make(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Look fills in the program's path, the firmware and the accelerator, and lists
// the files that must be made before the machine starts: the private copy of the
// variable store, and disks. It makes nothing.
func Look(c Config) (Config, []Missing, error) {
	asked := c.Accel
	c = c.defaults()
	program, err := exec.LookPath(c.Program)
	if err != nil {
		return c, nil, QEMUMissing.New("cannot start a virtual machine: have no program %s, need QEMU 7.0 or newer: %w", c.Program, err).
			Hint("install the package qemu-system-x86 (Debian, Ubuntu), qemu-system-x86-core (Fedora) or qemu-base (Arch)")
	}
	c.Program = program
	if asked == "" && kvmUsable() {
		c.Accel = KVM
	}
	var missing []Missing
	if c.Firmware != BIOS && c.Files == (FirmwareFiles{}) {
		if c.Files, err = FindFirmware(c.Firmware, isFile); err != nil {
			return c, nil, err
		}
		// A second start of the same machine finds what the first one wrote.
		shared := c.Files.Vars
		if c.Files.Vars = c.file(string(c.Firmware) + "-" + varsCopy); !isFile(c.Files.Vars) {
			missing = append(missing, Missing{Path: c.Files.Vars, From: shared})
		}
	}
	for _, m := range c.Media {
		if !isFile(m.Path) {
			return c, nil, ConfigWrong.New("cannot plug in the medium %s: have no such file, need an image", m.Path)
		}
	}
	for _, d := range c.Disks {
		if isFile(d.Path) {
			continue
		}
		if d.Size <= 0 {
			return c, nil, ConfigWrong.New("cannot make the disk %s: have size %s, need the size of a new disk or a file that exists", d.Path, d.Size)
		}
		missing = append(missing, Missing{Path: d.Path, Size: d.Size})
	}
	return c, missing, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// kvmUsable tries the door rather than reading its label, since in containers
// the node exists and cannot be opened, and looks at what lies behind it: a
// hypervisor may offer /dev/kvm without the processor's own virtualization
// (kvm-pvm does), and firmware does not start on that.
func kvmUsable() bool {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	f.Close()
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && virtualizes(string(cpuinfo))
}

// virtualizes tells whether the first processor of /proc/cpuinfo has VT-x or
// AMD-V (proc_cpuinfo(5), flags).
func virtualizes(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		if name, flags, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			have := strings.Fields(flags)
			return slices.Contains(have, "vmx") || slices.Contains(have, "svm")
		}
	}
	return false
}
