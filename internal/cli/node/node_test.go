package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/system/fake"
	"caisson.dev/caisson/spec"
)

// bench is a machine that is not there.
type bench struct {
	t         *testing.T
	cmdline   string
	second    string // answers.yaml of a second medium
	phrase    string // caisson-passphrase.txt there
	stick     string // folder of a stick
	synced    bool
	gone      error // why the medium cannot be read
	kept      int64 // bytes of the system that were read to be kept
	port      bytes.Buffer
	left      string
	shells    []string    // where one was opened
	until     []time.Time // to when answers were held back
	root      fstest.MapFS
	sys       *fake.System
	scratch   string
	now       func() time.Time
	terminals []terminal
	network
}

func (b *bench) Cmdline() string { return b.cmdline }
func (b *bench) Labelled(label, file string) ([]byte, error) {
	if label == "CAISSON" && file == "caisson-passphrase.txt" && b.phrase != "" {
		return []byte(b.phrase), nil
	}
	if b.second == "" || label != "CAISSON" || file != "answers.yaml" {
		return nil, fs.ErrNotExist
	}
	return []byte(b.second), nil
}
func (b *bench) Port() io.WriteCloser                               { return nopClose{&b.port} }
func (b *bench) Consoles() []io.WriteCloser                         { return nil }
func (b *bench) Scratch() string                                    { return b.scratch }
func (b *bench) Leave(how string) error                             { b.left = how; return nil }
func (b *bench) Root() fs.FS                                        { return disks{b.root} }
func (b *bench) Lay(root, store string, _ []images.ViewEntry) error { return nil }

func (b *bench) Terminals() []terminal    { return b.terminals }
func (b *bench) Quiet()                   {}
func (b *bench) SetClock(time.Time) error { return ClockRefused.New("cannot set the clock of a bench") }
func (b *bench) Stick(_ machine.Machine, write func(string) error) (string, error) {
	if b.stick == "" {
		return "", StickMissing.New("cannot save: have no stick, need one")
	}
	return "a stick", write(b.stick)
}

func (b *bench) Synchronised() bool { return b.synced }
func (b *bench) Password(_ context.Context, user, password string) error {
	if user == "ops" && password == "secret?" {
		return nil
	}
	return PasswordRefused.New("cannot open the menu: have another password, need the one of %s", user)
}

type nopClose struct{ io.Writer }

func (nopClose) Close() error { return nil }

// disks is a tree in which /dev/vda reads as zero.
type disks struct{ fstest.MapFS }

func (d disks) Open(name string) (fs.File, error) {
	f, err := d.MapFS.Open(name)
	if name == "dev/vda" && err == nil {
		return zeros{f}, nil
	}
	return f, err
}

type zeros struct{ fs.File }

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func newBench(t *testing.T) *bench {
	sys, err := fake.New(filepath.Join(t.TempDir(), "disk"), int64(installtest.DiskSize))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sys.Disk.Close() })
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return &bench{t: t, sys: sys, scratch: t.TempDir(), now: time.Now, root: fstest.MapFS{
		"proc/meminfo":                           text("MemTotal: 8000000 kB\n"),
		"proc/cpuinfo":                           text("processor : 0\nprocessor : 1\n"),
		"sys/firmware/efi/fw_platform_size":      text("64"),
		"sys/class/dmi/id/product_serial":        text("SN-1"),
		"sys/block/vda/size":                     text("134217728"),
		"sys/block/vda/serial":                   text("D1"),
		"sys/block/vda/queue/logical_block_size": text("512"),
		"dev/vda":                                text(""),
		"dev/disk/by-id/virtio-D1":               {Data: []byte("../../vda"), Mode: fs.ModeSymlink},
	}}
}

func (b *bench) run(args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = execute(args, &run{ctx: context.Background(), in: strings.NewReader(""), out: &o, errw: &e, root: b.scratch, now: b.now, env: b})
	return status, o.String(), e.String()
}

// events are the lines of the port.
func (b *bench) events() []event.Event {
	var out []event.Event
	dec := json.NewDecoder(&b.port)
	for {
		var e event.Event
		if err := dec.Decode(&e); err == io.EOF {
			return out
		} else if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, e)
	}
}

func medium(t *testing.T, extra map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.Medium(dir, installtest.OSImage(64<<10), extra); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInstallUnattended(t *testing.T) {
	b := newBench(t)
	b.second = installtest.Answers
	status, out, errs := b.run("install", "--unattended", "--medium", medium(t, nil))
	if status != 0 {
		t.Fatalf("status %d\n%s\n%s", status, out, errs)
	}
	if b.left != "poweroff" {
		t.Errorf("the machine was left by %q", b.left)
	}
	all := b.events()
	last := all[len(all)-1]
	if last.Name != "done" || last.Data["result"] != "ok" || last.Data["node"] != "node1" {
		t.Errorf("the stream ends with %+v", last)
	}
	seen := map[string]int{}
	for i, e := range all {
		seen[e.Name]++
		if e.Seq != i+1 || e.Source != "installer" {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	if seen["media.ok"] != 1 || seen["plan"] != 1 || seen["step"] != 13 || seen["record"] != 1 || seen["error"] != 0 {
		t.Errorf("the events were %v", seen)
	}
	var written record.Record
	for path, raw := range b.sys.Files {
		if strings.HasSuffix(path, record.Path) {
			var err error
			if written, err = record.Parse(raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	if d, err := canon.Digest(written); err != nil || string(d) != last.Data["record"] {
		t.Errorf("done names record %s, on the node is %s (%v)", last.Data["record"], d, err)
	}
	if !strings.Contains(out, "13/13") || !strings.Contains(out, "caisson: done (ok)") {
		t.Errorf("the console showed\n%s", out)
	}
}

// TestInstallFails: an error is an event with its code, the stream still ends
// with done, nothing is written, and the power goes only if it was asked for.
func TestInstallFails(t *testing.T) {
	whole := medium(t, nil)
	damaged := medium(t, nil)
	if err := os.WriteFile(filepath.Join(damaged, bundle.LockPath), []byte("LOCK"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, code, left string
		medium           string
		setup            func(*bench)
	}{
		{"damaged medium", "MEDIA-DAMAGED", "", damaged, func(b *bench) { b.second = installtest.Answers }},
		{"no answers", "ANSWERS-NONE", "", whole, func(b *bench) {}},
		{"no answers, power off asked for", "ANSWERS-NONE", "poweroff", whole, func(b *bench) { b.cmdline = "quiet caisson.onerror=poweroff" }},
		{"no consent", "ERASE-NOT-CONFIRMED", "", whole, func(b *bench) { b.cmdline = "caisson.node=node1" }},
		{"unknown node", "ANSWERS-NODE", "", whole, func(b *bench) { b.cmdline = "caisson.node=node9" }},
		{"BIOS", "FIRMWARE-BIOS", "", whole, func(b *bench) {
			b.second = installtest.Answers
			delete(b.root, "sys/firmware/efi/fw_platform_size")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			c.setup(b)
			status, _, errs := b.run("install", "--unattended", "--medium", c.medium)
			if status == 0 || !strings.Contains(errs, c.code) {
				t.Errorf("status %d, %s", status, errs)
			}
			all := b.events()
			var codes []string
			for _, e := range all {
				if e.Name == "error" {
					codes = append(codes, e.Code)
				}
			}
			if last := all[len(all)-1]; last.Name != "done" || last.Data["result"] != "failed" || last.Data["disk"] != "not written" || last.Code != c.code || strings.Join(codes, " ") != c.code {
				t.Errorf("errors %v, last %+v", codes, last)
			}
			if len(b.sys.Calls) > 0 || b.left != c.left {
				t.Errorf("calls %v, left by %q", b.sys.Calls, b.left)
			}
		})
	}
}

func TestAnswersInOrder(t *testing.T) {
	loaded, err := spec.Parse([]byte(installtest.Spec), "")
	if err != nil {
		t.Fatal(err)
	}
	verified := func(extra map[string]string) *bundle.Verified {
		v, err := bundle.Verify(context.Background(), os.DirFS(medium(t, extra)), nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for_ := func(node, erase string) string {
		return "apiVersion: caisson.dev/v1alpha1\nkind: Answers\nnode: " + node + "\nconfirm: {erase: " + erase + "}\n"
	}
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(for_("node1", "serial:FLAG")), 0o644); err != nil {
		t.Fatal(err)
	}
	plainMedium := verified(nil)
	withAnswers := verified(map[string]string{onMedium: for_("node1", "serial:MEDIUM"), "site/b.yaml": for_("node2", "serial:SITE")})
	consentOnly := "apiVersion: caisson.dev/v1alpha1\nkind: Answers\nconfirm: {erase: any-blank}\n"
	for _, c := range []struct {
		name                  string
		file, cmdline, second string
		medium                *bundle.Verified
		serial                string
		node, erase           string
	}{
		{"the flag wins", file, "caisson.node=node2", for_("node2", "any"), withAnswers, "", "node2", "serial:FLAG"},
		{"a file on the boot medium that the kernel line names", "", "caisson.answers=/site/b.yaml", for_("node1", "any"), withAnswers, "", "node2", "serial:SITE"},
		{"answers on the kernel line itself", "", "caisson.answers=base64:" + base64.StdEncoding.EncodeToString([]byte(for_("node2", "any"))), "", plainMedium, "", "node2", "any"},
		{"a second medium", "", "quiet", for_("node2", "any"), withAnswers, "", "node2", "any"},
		{"the boot medium", "", "quiet", "", withAnswers, "", "node1", "serial:MEDIUM"},
		{"a name on the kernel line", "", "caisson.node=node1 caisson.erase=any-blank", "", plainMedium, "SN-2", "node1", "any-blank"},
		{"the roster", "", "caisson.erase=any-blank", "", plainMedium, "SN-2", "node2", "any-blank"},
		{"consent from a medium, the rest from the roster", "", "", consentOnly, plainMedium, "SN-2", "node2", "any-blank"},
		{"the kernel line's consent is laid over", "", "caisson.erase=serial:LINE", for_("node2", "any"), plainMedium, "", "node2", "serial:LINE"},
	} {
		b := newBench(t)
		b.cmdline, b.second = c.cmdline, c.second
		a, from, err := search{env: b, file: c.file, medium: c.medium, machine: machine.Machine{Serial: c.serial}, enclave: loaded.Enclave}.find()
		if err != nil || a.Name != c.node || a.Confirm.Erase != c.erase {
			t.Errorf("%s: have %s, %s (from %s), %v, want %s, %s", c.name, a.Name, a.Confirm.Erase, from, err, c.node, c.erase)
		}
	}
}
