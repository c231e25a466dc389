package node

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/version"
)

// bundleName is the support bundle's name on a stick.
const bundleName = "caisson-support.tar.gz"

// supportLimit bounds each part of a support bundle, bytes.
const supportLimit = 32 << 20

// part is one file of a support bundle.
type part struct {
	name string
	data []byte
}

// supportParts is what somebody far away needs to see: the machine, what was
// booted with which words, and what was said. Nothing of it is secret: answers
// and the rendered configuration, which can hold password hashes, stay out.
func supportParts(ctx context.Context, r *run, m machine.Machine, medium string) []part {
	hardware, _ := json.MarshalIndent(m, "", "  ") // a Machine always encodes
	out := []part{
		{"version.txt", []byte("caisson-node " + version.Version + "\n")},
		{"cmdline.txt", []byte(withoutAnswers(r.env.Cmdline()) + "\n")},
		{"machine.json", append(hardware, '\n')},
		{"medium.txt", []byte(medium + "\n")},
	}
	if b, err := os.ReadFile(filepath.Join(r.env.Scratch(), journalName)); err == nil {
		out = append(out, part{journalName, b})
	}
	for name, argv := range map[string][]string{
		"journal.txt": {"journalctl", "--boot", "--no-pager", "--output=short-iso"},
		"kernel.txt":  {"dmesg"},
		"blocks.txt":  {"lsblk", "--all", "--output=NAME,SIZE,TYPE,FSTYPE,LABEL,MODEL,SERIAL"},
		"network.txt": {"ip", "-details", "address"},
	} {
		out = append(out, part{name, said(ctx, argv)})
	}
	return out
}

// withoutAnswers leaves out answers that stand on the command line itself.
func withoutAnswers(cmdline string) string {
	words := strings.Fields(cmdline)
	for i, w := range words {
		if strings.HasPrefix(w, argAnswers+"=base64:") {
			words[i] = argAnswers + "=(not shown)"
		}
	}
	return strings.Join(words, " ")
}

// said is what a program prints, or why there is nothing.
func said(ctx context.Context, argv []string) []byte {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, cut := io.CopyN(&out, pipe, supportLimit)
		if errors.Is(cut, io.EOF) {
			cut = nil
		}
		_, _ = io.Copy(io.Discard, pipe)
		err = errors.Join(cut, cmd.Wait())
	}
	if err != nil {
		out.WriteString(strings.Join(argv, " ") + ": " + err.Error() + "\n")
	}
	return out.Bytes()
}

// writeSupport writes the parts as a gzip-compressed tar archive.
func writeSupport(w io.Writer, parts []part, now time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, p := range parts {
		err := t.WriteHeader(&tar.Header{Name: "caisson-support/" + p.name, Mode: 0o600, Size: int64(len(p.data)), ModTime: now, Format: tar.FormatPAX})
		if err == nil {
			_, err = t.Write(p.data)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

// bundleOnStick writes a support bundle to a stick and says where.
func (r *run) bundleOnStick(ctx context.Context, m machine.Machine, medium string) (string, error) {
	stick, err := r.onStick(bundleName, func(w io.Writer) error {
		return writeSupport(w, supportParts(ctx, r, m, medium), r.now())
	})
	return bundleName + " on " + stick, err
}

// onStick writes a file to a stick, whole or not at all. The machine is looked at
// anew: the stick may have been plugged in a moment ago.
func (r *run) onStick(name string, write func(io.Writer) error) (string, error) {
	m, err := machine.Probe(r.env.Root())
	if err != nil {
		return "", err
	}
	return r.env.Stick(m, func(dir string) error {
		f, err := os.CreateTemp(dir, "new-*")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name()) // a no-op once renamed
		if err := write(f); err != nil {
			_ = f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return os.Rename(f.Name(), filepath.Join(dir, name))
	})
}
