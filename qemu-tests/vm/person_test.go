package vm

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/iso/iso9660"
)

func TestPersonConfig(t *testing.T) {
	display := func(name string) string { return map[string]string{"DISPLAY": ":0"}[name] }
	none := func(string) string { return "" }
	c := PersonConfig("/media/demo.iso", PersonOptions{}, none)
	if c.Console != ConsoleStdio || c.Display != "none" || c.Disks[0].Path != "/media/demo.disk.img" || !c.Disks[0].Durable || c.Order != DisksFirst {
		t.Errorf("no display: have %+v", c)
	}
	if c = PersonConfig("/media/demo.iso", PersonOptions{}, display); c.Console != ConsoleWindow || c.Display != "gtk" {
		t.Errorf("display: have console %s, display %s", c.Console, c.Display)
	}
	c = PersonConfig("/media/demo.iso", PersonOptions{
		Text: true, Firmware: UEFISecureBoot, Attach: Stick, Answers: "/a.iso", Disk: "/d.img", DiskSize: size.GiB, Memory: 8 * size.GiB, CPUs: 8,
	}, display)
	if c.Console != ConsoleStdio || c.Firmware != UEFISecureBoot || len(c.Media) != 2 || c.Media[1].Attach != Stick ||
		c.Disks[0].Path != "/d.img" || c.Memory != 8*size.GiB || c.CPUs != 8 {
		t.Errorf("all chosen: have %+v", c)
	}
}

func TestAnswersMedium(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.iso")
	const answers = "apiVersion: caisson.dev/v1alpha1\nkind: Answers\n"
	if err := AnswersMedium(path, []byte(answers)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	img, err := iso9660.Open(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := fs.ReadFile(img, AnswersFile); err != nil || string(b) != answers || img.Label() != AnswersLabel {
		t.Errorf("have label %q, %q, %v", img.Label(), b, err)
	}
	// Somebody else's reader.
	xorriso, err := exec.LookPath("xorriso")
	if err != nil {
		t.Skip("needs xorriso")
	}
	out := filepath.Join(t.TempDir(), "out.yaml")
	if text, err := exec.Command(xorriso, "-osirrox", "on", "-indev", path, "-extract", "/"+AnswersFile, out).CombinedOutput(); err != nil {
		t.Fatalf("xorriso: %v: %s", err, text)
	}
	if b, err := os.ReadFile(out); err != nil || !strings.HasPrefix(string(b), "apiVersion") {
		t.Errorf("xorriso: have %q, %v", b, err)
	}
}
