package build

import (
	"fmt"
	"os"
	"path/filepath"

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
	raw, err := os.ReadFile(c.File)
	if err != nil {
		return unreadable.New("cannot read the answer file: %w", err)
	}
	if _, err := spec.ParseAnswers(raw); err != nil {
		return err
	}
	if _, err := os.Lstat(c.Output); err == nil && !c.Force {
		return outputExists.New("cannot write %s: a file of that name exists", c.Output).
			Hint("choose another name, or add --force to replace it")
	}
	if err := vm.AnswersMedium(c.Output, raw); err != nil {
		return err
	}
	return r.print(map[string]string{"medium": c.Output, "label": "CAISSON"},
		fmt.Sprintf("%s: label CAISSON, holds answers.yaml\n", filepath.Base(c.Output)))
}

type bootCmd struct {
	ISO       string     `arg:"" type:"path" help:"The ISO."`
	Disk      string     `type:"path" help:"Disk image to install to; made if missing (default: ISO name with .disk.qcow2)."`
	DiskSize  size.Bytes `default:"32 GiB" help:"Size of a disk image that is made."`
	Memory    size.Bytes `default:"4 GiB" help:"Memory of the machine."`
	CPUs      int        `default:"2" help:"Number of CPUs."`
	Answers   string     `type:"path" help:"Image with answers (caisson answers) to attach as a second drive."`
	Firmware  string     `enum:"uefi,secureboot,bios" default:"uefi" help:"uefi, secureboot or bios."`
	USB       bool       `help:"Attach the ISO as a USB stick, not as an optical drive."`
	Serial    bool       `help:"Use this terminal as the serial console, also when a window is possible (leave with Ctrl-A X)."`
	PrintQEMU bool       `name:"print" help:"Print the QEMU command line and do not run it."`
	DiskBoot  bool       `help:"Boot the disk, without the ISO."`
}

func (c bootCmd) Run(r *run) error {
	return vm.Run(r.ctx, vm.Config{}, os.Stdin, r.out, os.Stderr)
}
