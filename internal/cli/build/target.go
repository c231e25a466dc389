package build

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/qemu-tests/vm"
	"caisson.dev/caisson/spec"
)

type renderCmd struct {
	Spec string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
	Node string `required:"" help:"Name of the node in the Spec's roster."`
}

func (c renderCmd) Run(r *run) error {
	choice, err := choose(c.Spec)
	if err != nil {
		return err
	}
	config, err := choice.Render(spec.Answers{APIVersion: spec.APIVersion, Kind: "Answers", Node: c.Node})
	if err != nil {
		return err
	}
	r.report.Close()
	_, err = r.out.Write(config)
	return err
}

type answersCmd struct {
	File   string `arg:"" type:"path" help:"The answer file (kind: Answers)."`
	Output string `short:"o" required:"" type:"path" help:"The image to write: attach it as a second drive, or dd it to a stick."`
	Force  bool   `help:"Replace the output file if it exists."`
}

func (c answersCmd) Run(r *run) error {
	raw, _, err := readAnswers(c.File)
	if err != nil {
		return err
	}
	if err := mayWrite(c.Output, c.Force); err != nil {
		return err
	}
	if err := vm.AnswersMedium(c.Output, raw); err != nil {
		return err
	}
	return r.print(map[string]string{"medium": c.Output, "label": "CAISSON"},
		fmt.Sprintf("%s: label CAISSON, holds answers.yaml\n", filepath.Base(c.Output)))
}

// readAnswers reads an answer file and checks what it says by itself.
func readAnswers(path string) ([]byte, spec.Answers, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, spec.Answers{}, unreadable.New("cannot read the answer file: %w", err)
	}
	a, err := spec.ParseAnswers(raw)
	return raw, a, err
}

type bootCmd struct {
	ISO      string     `arg:"" type:"path" help:"The ISO."`
	Disk     string     `type:"path" help:"Disk image to install to; made if missing (default: beside the ISO, demo.iso gets demo.disk.img)."`
	DiskSize size.Bytes `default:"64 GiB" help:"Size of a disk image that is made; it takes only what is written."`
	Memory   size.Bytes `default:"4 GiB" help:"Memory of the machine."`
	CPUs     int        `name:"cpus" default:"2" help:"Number of CPUs."`
	Answers  string     `type:"path" help:"Medium with answers (caisson answers) to attach as a second drive."`
	Firmware string     `enum:"uefi,uefi-secureboot,bios" default:"uefi" help:"uefi, uefi-secureboot or bios."`
	USB      bool       `name:"usb" help:"Attach the ISO as a USB stick, not as an optical drive."`
	Serial   bool       `help:"Use this terminal as the serial line, also where a window could be opened (leave with Ctrl-A X)."`
	Print    bool       `help:"Print QEMU's command line for a shell; run and make nothing."`
}

func (c bootCmd) Run(r *run) error {
	attach := vm.Optical
	if c.USB {
		attach = vm.Stick
	}
	config := vm.PersonConfig(c.ISO, vm.PersonOptions{Firmware: vm.Firmware(c.Firmware), Attach: attach, Memory: c.Memory,
		CPUs: c.CPUs, Disk: c.Disk, DiskSize: c.DiskSize, Answers: c.Answers, Text: c.Serial}, os.Getenv)
	config, why := vm.Windowless(r.ctx, config)
	if why != "" {
		r.report.Note("%s", why)
	}
	if c.Print {
		return printVM(r, config)
	}
	dir, err := os.MkdirTemp("", "caisson-boot-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config.Dir = dir
	r.report.Close()
	return vm.Run(r.ctx, config, os.Stdin, os.Stdout, os.Stderr)
}

// printVM prints QEMU's command line for a shell, and notes which files it needs
// that are not there. It makes none; the firmware's variables would lie beside
// the disk.
func printVM(r *run, config vm.Config) error {
	config.Dir = filepath.Dir(config.Disks[0].Path)
	config, missing, err := vm.Look(config)
	if err != nil {
		return err
	}
	argv, err := vm.Argv(config)
	if err != nil {
		return err
	}
	for _, m := range missing {
		first := []string{"truncate", "-s", strconv.FormatInt(int64(m.Size), 10), m.Path}
		if m.From != "" {
			first = []string{"cp", m.From, m.Path}
		}
		r.report.Note("needed first: %s", shellLine(first))
	}
	argv = append([]string{config.Program}, argv...)
	return r.print(argv, shellLine(argv)+"\n")
}

var shellPlain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellLine quotes words as a POSIX shell reads them.
func shellLine(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; !shellPlain.MatchString(w) {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
