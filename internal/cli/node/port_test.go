package node

import (
	"bufio"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestPort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "port")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	one, two := &port{path: path, patience: time.Minute}, &port{path: path, patience: time.Minute}
	for i, p := range []*port{one, two, one} {
		if _, err := p.Write([]byte("line\n")); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	in := bufio.NewReader(reader)
	for range 3 {
		if line, err := in.ReadString('\n'); err != nil || line != "line\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
}

// TestPortWithoutReader: a full pipe blocks as a port with nobody behind it does.
func TestPortWithoutReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "port")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	p := &port{path: path, patience: 50 * time.Millisecond}
	if _, err := p.Write(make([]byte, 1<<20)); err == nil {
		t.Fatal("a write that nobody reads succeeded")
	}
	begun := time.Now()
	if _, err := p.Write([]byte("x")); err == nil || time.Since(begun) > 40*time.Millisecond {
		t.Errorf("the next event waited again: %v", err)
	}
}
