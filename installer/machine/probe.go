package machine

import (
	"errors"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"caisson.dev/caisson/internal/size"
)

const dmi = "sys/class/dmi/id/"

// EFI global variables live under this GUID (UEFI 2.10, section 3.3).
const efiGlobal = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"

// Probe reads the machine from a file system rooted at "/": /sys, /proc, /dev
// and /run/udev. What is missing stays empty; it fails only if root has neither
// /sys nor /proc, which would make every later answer a guess.
func Probe(root fs.FS) (Machine, error) {
	for _, dir := range []string{"sys", "proc"} {
		if _, err := fs.Stat(root, dir); err != nil {
			return Machine{}, ProbeFailed.New("cannot read the machine: have no /%s, need it mounted: %w", dir, err)
		}
	}
	m := Machine{
		Vendor:     text(root, dmi+"sys_vendor"),
		Product:    text(root, dmi+"product_name"),
		Serial:     text(root, dmi+"product_serial"),
		UUID:       strings.ToLower(text(root, dmi+"product_uuid")),
		Firmware:   BIOS,
		SecureBoot: "off",
		TPM:        tpm(root),
		Clock:      clock(root),
	}
	m.CPU, m.CPUs = cpus(root)
	m.Memory = memory(root)
	if _, err := fs.Stat(root, "sys/firmware/efi"); err == nil {
		m.Firmware, m.SecureBoot = UEFI, secureBoot(root)
	}
	var err error
	if m.Disks, err = disks(root); err != nil {
		return Machine{}, err
	}
	m.NICs = NICs(root)
	return m, nil
}

// text is a small file's content without surrounding space; empty if absent.
func text(root fs.FS, name string) string {
	b, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}

// clock reads the hardware clock, which shows no time zone. Its date is read on
// both sides of its time: it may change in between.
func clock(root fs.FS) string {
	const rtc = "sys/class/rtc/rtc0/"
	date, hour := text(root, rtc+"date"), text(root, rtc+"time")
	if again := text(root, rtc+"date"); again != date {
		date, hour = again, text(root, rtc+"time")
	}
	t, err := time.Parse(time.DateTime, date+" "+hour)
	if err != nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

func tpm(root fs.FS) string {
	if _, err := fs.Stat(root, "sys/class/tpm/tpm0"); err != nil {
		return ""
	}
	if text(root, "sys/class/tpm/tpm0/tpm_version_major") == "1" {
		return "1.2"
	}
	return "2.0"
}

// secureBoot reads the firmware's own variables: four bytes of attributes, then
// the value.
func secureBoot(root fs.FS) string {
	read := func(name string) (byte, bool) {
		b, err := fs.ReadFile(root, "sys/firmware/efi/efivars/"+name+efiGlobal)
		if err != nil || len(b) != 5 {
			return 0, false
		}
		return b[4], true
	}
	on, ok := read("SecureBoot")
	setup, _ := read("SetupMode")
	switch {
	case !ok:
		return "unknown"
	case on == 1:
		return "on"
	case setup == 1:
		return "setup"
	}
	return "off"
}

func cpus(root fs.FS) (model string, n int) {
	for line := range strings.Lines(text(root, "proc/cpuinfo")) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name":
			model = strings.TrimSpace(value)
		}
	}
	return model, n
}

// memory is MemTotal of /proc/meminfo, which counts in KiB and says kB.
func memory(root fs.FS) size.Bytes {
	for line := range strings.Lines(text(root, "proc/meminfo")) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "MemTotal:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil || n < 0 || n > int64(1)<<50 {
				return 0
			}
			return size.Bytes(n) * size.KiB
		}
	}
	return 0
}

// links maps a kernel name to the names in a folder of symbolic links that end
// in it (/dev/disk/by-id and by-path).
func links(root fs.FS, dir string) (map[string][]string, error) {
	out := map[string][]string{}
	entries, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		target, err := fs.ReadLink(root, path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		name := path.Base(target)
		out[name] = append(out[name], e.Name())
	}
	for _, v := range out {
		sort.Strings(v)
	}
	return out, nil
}
