package build

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// hooksFS are the programs that mmdebstrap runs inside the new root.
//
//go:embed hooks
var hooksFS embed.FS

const work = "node OS" // what progress is reported under

// makeBase is the first stage: Debian's packages installed, our tree laid over
// them and the initramfs made, as one tar archive in the Store. How many
// packages there are, and their bytes, decide; their order does not. The digest is
// that of all it depends on: the archive's own differs from run to run, by the
// identities that packages make and the filter drops.
func makeBase(ctx context.Context, in Input, store *bundle.Store, progress bundle.Progress) (bundle.Artifact, digest.Digest, error) {
	own, err := ownTree(in.Enclave)
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	debs := map[string]digest.Digest{}
	for _, d := range in.Debs {
		debs[d.Name] = d.Digest
	}
	accounts := accountFiles()
	k, inputs, err := key("base", struct {
		Debs     map[string]digest.Digest
		Tree     digest.Digest
		Hooks    digest.Digest
		Accounts map[string]string
		Epoch    int64
	}{debs, treeDigest(own), hooksDigest(), accounts, in.Epoch})
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	unlock, err := store.Lock(ctx, k)
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	defer unlock()
	if done, ok := store.Memo(k); ok {
		return done[0], inputs, nil
	}
	mode, err := rootMode(ctx, os.Geteuid())
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	dir, err := scratch(ctx, mode, store)
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	defer os.RemoveAll(dir)
	names, err := localArchive(ctx, filepath.Join(dir, "archive"), in.Debs, store)
	if err != nil {
		return bundle.Artifact{}, "", laid(dir, err)
	}
	if err := writeHooks(filepath.Join(dir, "hooks"), own, accounts, in.Epoch); err != nil {
		return bundle.Artifact{}, "", laid(dir, err)
	}
	d, n, err := mmdebstrap(ctx, mode, dir, names, in.Epoch, store, progress)
	if err != nil {
		return bundle.Artifact{}, "", err
	}
	a := bundle.Artifact{Name: "os/tree", Digest: d, Size: n}
	return a, inputs, store.SetMemo(k, []bundle.Artifact{a})
}

// scratch is a folder that the build's root can read. As an ordinary user that
// root is another user id, which may not enter a home directory.
func scratch(ctx context.Context, mode string, store *bundle.Store) (string, error) {
	if mode == "root" {
		return store.TempDir("nodeos")
	}
	sweep(ctx, os.TempDir(), os.Geteuid())
	dir, err := os.MkdirTemp("", "caisson-nodeos-*")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// sweep removes scratch folders of this user's that killed builds left; the
// Store does so for its own. Most of what is in them belongs to the namespace's
// ids, so that only it can remove them. What stays is for the next time.
func sweep(ctx context.Context, dir string, uid int) {
	left, _ := filepath.Glob(filepath.Join(dir, "caisson-nodeos-*"))
	for _, path := range left {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) <= bundle.Abandoned {
			continue
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) == uid {
			_ = inNamespace(ctx, "rm", "-rf", "--one-file-system", "--", path).Run()
		}
	}
}

// writeHooks lays out what the hooks need beside them.
func writeHooks(dir string, own []entry, accounts map[string]string, epoch int64) error {
	if err := os.MkdirAll(filepath.Join(dir, "accounts"), 0o755); err != nil {
		return err
	}
	files, err := hooksFS.ReadDir("hooks")
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := hooksFS.ReadFile("hooks/" + f.Name())
		if err != nil {
			return err
		}
		// Executable: mmdebstrap takes the others for data.
		if err := os.WriteFile(filepath.Join(dir, f.Name()), b, 0o755); err != nil {
			return err
		}
	}
	for name, text := range accounts {
		if err := os.WriteFile(filepath.Join(dir, "accounts", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(dir, "tree.tar"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := writeTar(f, own, epoch); err != nil {
		return err
	}
	return f.Close()
}

// mmdebstrap runs the tool and puts its archive into the Store. Its root lies in
// TMPDIR, beside the packages.
func mmdebstrap(ctx context.Context, mode, dir string, names []string, epoch int64, store *bundle.Store, progress bundle.Progress) (digest.Digest, int64, error) {
	cmd := command(ctx, "mmdebstrap",
		"--verbose", "--mode="+mode, "--variant=essential", "--format=tar", "--skip=output/dev",
		`--aptopt=APT::Install-Recommends "false"`,
		// Documentation and translations are half the files and of no use on a
		// node; licences stay.
		"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/info/*",
		"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
		"--dpkgopt=path-include=/usr/share/doc/*/copyright",
		"--hook-directory="+filepath.Join(dir, "hooks"),
		"--include="+strings.Join(names, ","),
		"", "-", "deb [trusted=yes] copy://"+filepath.Join(dir, "archive")+" ./")
	cmd.Env = append(cmd.Env, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch), "TMPDIR="+dir,
		"INITRD=No") // the kernel's own hook would make one that is not reproducible
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, err
	}
	// Every package is unpacked once and set up once; the rest is one more part.
	var done, total int64 = 0, 2*int64(len(names)) + 1
	log := &lastLines{onLine: func(line string) {
		if strings.HasPrefix(line, "Unpacking ") || strings.HasPrefix(line, "Setting up ") {
			done = min(done+1, total-1)
			progress(work, done, total)
		}
	}}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return "", 0, err
	}
	d, n, putErr := store.Put(ctx, stdout, "")
	if putErr != nil { // let the tool end instead of waiting for a reader
		_, _ = io.Copy(io.Discard, stdout)
	}
	if err := cmd.Wait(); err != nil {
		return "", 0, failed(ctx, "mmdebstrap", dir, err, log)
	}
	progress(work, total, total)
	return d, n, putErr
}

func treeDigest(own []entry) digest.Digest {
	h := digest.New()
	_ = writeTar(h, own, 0) // a hash takes every write
	return digest.FromSum(h.Sum(nil))
}

func hooksDigest() digest.Digest {
	h := digest.New()
	files, _ := hooksFS.ReadDir("hooks") // embedded: they are there
	for _, f := range files {
		b, _ := hooksFS.ReadFile("hooks/" + f.Name())
		fmt.Fprintf(h, "%s %d\n%s", f.Name(), len(b), b)
	}
	return digest.FromSum(h.Sum(nil))
}
