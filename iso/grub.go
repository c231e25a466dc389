package iso

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// grubConfig is the one boot menu, for GRUB on UEFI and on BIOS. It lies in the
// ISO tree, where an optical drive finds it, and in the ESP, where a disk does.
//
// It is not signed. Secure Boot covers shim, GRUB and kernel; that the right
// system runs is proven behind it, by the medium's signed manifest.
func grubConfig(m Medium) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `# Boot menu of %s. Written by Caisson; the same file lies in the EFI partition.
%s
# The release's own file finds its medium, whatever other disks are there. A
# file system's UUID would not: it is the build's date, equal for two releases.
search --no-floppy --set=root --file /%s
if [ ! -f /%s ]; then
  echo 'CAISSON: no drive holds /%s.'
  echo 'The boot menu was started, but its medium cannot be read any more.'
  echo 'Hint: keep the medium in place (virtual media: keep it connected), then restart.'
  sleep --interruptible 60
fi

set default=%s
set timeout=5
`, m.Release, serialLines(m.Command), markDir+m.Release, markDir+m.Release, markDir+m.Release, m.Entries[0].ID)
	for _, e := range m.Entries {
		fmt.Fprintf(&b, `
menuentry '%s' --id %s {
  echo 'Loading the kernel ...'
  linux /%s %s
  echo 'Loading the initial system ...'
  initrd /%s
}
`, e.Title, e.ID, KernelPath, quoted(command(m.Command, e.Extra)), InitrdPath)
	}
	b.WriteString(`
menuentry 'Restart this computer' --id reboot {
  reboot
}

menuentry 'Switch this computer off' --id poweroff {
  halt
}
`)
	return []byte(b.String())
}

// serialWord is the kernel's serial console.
var serialWord = regexp.MustCompile(`(?:^| )console=ttyS([0-9]+),([0-9]+)(?: |$)`)

// serialLines put the menu on the serial line that the kernel will write to.
func serialLines(command string) string {
	m := serialWord.FindStringSubmatch(command)
	if m == nil {
		return ""
	}
	return fmt.Sprintf(`
# Screen and serial port show the same. Without a port, the screen alone.
if serial --unit=%s --speed=%s; then
  terminal_input console serial
  terminal_output console serial
fi
`, m[1], m[2])
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

// quoted keeps GRUB's shell from reading arguments as its own syntax. Single
// quotes take everything literally (GRUB manual, "Quoting"); check refuses
// arguments that hold one.
func quoted(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		if !plainWord.MatchString(w) {
			words[i] = "'" + w + "'"
		}
	}
	return strings.Join(words, " ")
}

// info is the text of .disk/info, for people who look at the medium.
func info(m Medium) []byte {
	return fmt.Appendf(nil, "%s\nRelease %s, %s\nMade by Caisson. caisson/manifest.json names every file and its SHA-256.\n",
		m.Title, m.Release, time.Unix(m.Epoch, 0).UTC().Format("2006-01-02"))
}
