package tui

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing/fstest"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
)

// mounted is installtest's medium, verified, in memory: made once, as nothing changes it.
var mounted = sync.OnceValues(func() (*bundle.Verified, error) {
	return inMemory(func(dir string) error { return installtest.Medium(dir, installtest.OSImage(1<<16), nil) })
})

// mountedSealed is the one that brings sealed secrets.
var mountedSealed = sync.OnceValues(func() (*bundle.Verified, error) {
	return inMemory(func(dir string) error { return installtest.SealedMedium(dir, installtest.OSImage(1<<16)) })
})

func inMemory(fill func(dir string) error) (*bundle.Verified, error) {
	dir, err := os.MkdirTemp("", "tui")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := fill(dir); err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir+"/")] = &fstest.MapFile{Data: b, Mode: 0o644}
		return err
	})
	if err != nil {
		return nil, err
	}
	return bundle.Verify(context.Background(), files, nil)
}
