package vm

import (
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/size"
)

// complete is a Config that Argv accepts, with the paths that Resolve would find.
func complete() Config {
	return Config{
		Files: FirmwareFiles{Code: "/fw/code.fd", Vars: "/vm/vars.fd"},
		Dir:   "/vm",
		Media: []Medium{{Path: "/iso/demo.iso"}},
		Disks: []Disk{{Path: "/vm/disk.img", Serial: "CAISSON1"}},
	}
}

func TestArgv(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
	}{
		{"uefi-optical", func(c *Config) {}},
		{"secureboot-stick-answers", func(c *Config) {
			c.Firmware, c.Memory, c.NoReboot = UEFISecureBoot, 6*size.GiB, true
			c.Media = []Medium{{Path: "/iso/demo.iso", Attach: Stick}, {Path: "/vm/answers.iso", Attach: Stick}}
		}},
		{"bios-kvm", func(c *Config) {
			c.Firmware, c.Accel, c.Files, c.CPUs = BIOS, KVM, FirmwareFiles{}, 4
		}},
		{"three-buses-disks-first", func(c *Config) {
			c.Order = DisksFirst
			c.Media[0].Attach = Drive
			c.Serial, c.UUID = "SN-1,2", "3f1e0c5a-1111-2222-3333-444455556666"
			c.Disks = []Disk{
				{Path: "/vm/a,b.img", Bus: NVMe, Serial: "N1", Durable: true},
				{Path: "/vm/c.img", Bus: SATA},
				{Path: "/vm/d.img", Serial: "V1", Snapshot: true},
			}
		}},
		{"two-sticks-a-card", func(c *Config) {
			c.Cards = 1
			c.Media = []Medium{{Path: "/iso/demo.iso", Attach: Stick}, {Path: "/vm/s,1.img", Attach: Stick, Writable: true, Absent: true}}
		}},
		{"person-window", func(c *Config) { c.Console, c.Display, c.Dir = ConsoleWindow, "gtk", "" }},
		{"person-stdio-paused", func(c *Config) { c.Console, c.Paused = ConsoleStdio, true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := complete()
			tt.change(&c)
			args, err := Argv(c)
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, tt.name+".argv", []byte(strings.Join(args, "\n")+"\n"))
			if i := slices.Index(args, "-nic"); i < 0 || args[i+1] != "none" {
				t.Error("the guest has a way out: -nic none is missing")
			}
		})
	}
}

func TestArgvLeavesTheConfigAlone(t *testing.T) {
	c := complete()
	if _, err := Argv(c); err != nil {
		t.Fatal(err)
	}
	if c.Media[0].Attach != "" || c.Disks[0].Bus != "" {
		t.Error("Argv wrote defaults into the caller's slices")
	}
}

func TestArgvRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"unknown accelerator", func(c *Config) { c.Accel = "hvf" }, "tcg or kvm"},
		{"unknown firmware", func(c *Config) { c.Firmware = "coreboot" }, "uefi-secureboot"},
		{"unknown order", func(c *Config) { c.Order = "net-first" }, "media-first"},
		{"unknown console", func(c *Config) { c.Console = "telnet" }, "stdio"},
		{"no CPU", func(c *Config) { c.CPUs = -1 }, "1 or more"},
		{"half a MiB", func(c *Config) { c.Memory = size.GiB + 512*size.KiB }, "whole MiB"},
		{"UEFI without firmware files", func(c *Config) { c.Files.Vars = "" }, "a vars file"},
		{"no folder for sockets", func(c *Config) { c.Dir = "" }, "a folder"},
		{"folder too deep for a socket", func(c *Config) { c.Dir = "/" + strings.Repeat("d", 100) }, "at most 107"},
		{"medium without a path", func(c *Config) { c.Media[0].Path = "" }, "a path"},
		{"medium on a floppy", func(c *Config) { c.Media[0].Attach = "floppy" }, "optical, usb or disk"},
		{"disc that is written to", func(c *Config) { c.Media[0].Writable = true }, "only a stick"},
		{"cards without end", func(c *Config) { c.Cards = 9 }, "0 to 8"},
		{"disk on an unknown bus", func(c *Config) { c.Disks[0].Bus = "mfm" }, "virtio, nvme or sata"},
		{"serial too long", func(c *Config) { c.Disks[0].Serial = strings.Repeat("S", 21) }, "at most 20"},
		{"nvme without serial", func(c *Config) { c.Disks[0] = Disk{Path: "/d", Bus: NVMe} }, "a serial"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := complete()
			tt.change(&c)
			args, err := Argv(c)
			if !ConfigWrong.Is(err) || !strings.Contains(err.Error(), tt.says) || args != nil {
				t.Errorf("have %v, %v; want %s and %q", args, err, ConfigWrong.Code, tt.says)
			}
		})
	}
}
