package system

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var log bytes.Buffer
	l := Linux{Log: &log}
	sh := func(script string, show func(string) string) error {
		return l.Run(context.Background(), Command{Argv: []string{"sh", "-c", script}, Env: []string{"WORD=hello"}, Show: show})
	}
	if err := sh("echo $WORD; printf end", nil); err != nil || log.String() != "hello\nend\n" {
		t.Errorf("%v, logged %q", err, log.String())
	}
	log.Reset()
	hide := func(s string) string {
		if strings.Contains(s, "secret") {
			return ""
		}
		return strings.ToUpper(s)
	}
	err := sh("echo a secret; echo plain; echo secret >&2; exit 3", hide)
	if !Tool.Is(err) || strings.Contains(err.Error(), "a secret\n") || !strings.Contains(err.Error(), "exit status 3: PLAIN") || log.String() != "PLAIN\n" {
		t.Errorf("%v, logged %q", err, log.String())
	}
	err = sh("seq 1 5000; exit 1", nil)
	if !strings.Contains(err.Error(), "\n5000\n") || len(err.Error()) > 2*tailSize {
		t.Errorf("the error is not the end of the output: %d bytes", len(err.Error()))
	}
	if err := l.Run(context.Background(), Command{Argv: []string{"no-such-program"}}); !Tool.Is(err) || !strings.Contains(err.Error(), "does not have it") {
		t.Errorf("a missing program: %v", err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	l := Linux{}
	path := filepath.Join(dir, "a/b/c")
	if err := l.WriteFile(path, 0o751, strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o751 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := l.Sync(path); err != nil {
		t.Error(err)
	}
	f, err := l.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "text" {
		t.Errorf("%q, %v", b, err)
	}
	broken := fmt.Errorf("cut off")
	if err := l.WriteFile(path, 0, io.MultiReader(strings.NewReader("x"), failing{broken})); !Write.Is(err) || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("a source that fails: %v", err)
	}
	if err := l.Unmount(dir); !Write.Is(err) {
		t.Errorf("unmounting a folder: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestPartitionPath(t *testing.T) {
	for disk, want := range map[string]string{"/dev/vda": "/dev/vda3", "/dev/sdaa": "/dev/sdaa3", "/dev/nvme0n1": "/dev/nvme0n1p3", "/dev/mmcblk0": "/dev/mmcblk0p3"} {
		if got := PartitionPath(disk, 3); got != want {
			t.Errorf("PartitionPath(%s, 3) = %s, want %s", disk, got, want)
		}
	}
}
