package build

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/nodeos"
)

// made is what the second stage yields.
type made struct {
	os             bundle.OSImage // without Boot
	kernel, initrd bundle.Artifact
}

// makeImage is the second stage: the base tree through the filter, with
// Caisson's programs, into squashfs, and the verity tree behind it. The image is
// named after from, what base was made of, so that two machines name it alike.
func makeImage(ctx context.Context, in Input, base bundle.Artifact, from digest.Digest, store *bundle.Store, progress bundle.Progress) (made, error) {
	node, nodeSize, err := store.PutFile(ctx, in.Node, "")
	if err != nil {
		return made{}, err
	}
	extra := map[string]digest.Digest{}
	for p, b := range in.Extra {
		extra[p] = digest.Of(b)
	}
	k, inputs, err := key("image", struct {
		Base, Node, Ignition digest.Digest
		Extra                map[string]digest.Digest
		Epoch                int64
	}{from, node, in.Ignition.Digest, extra, in.Epoch})
	if err != nil {
		return made{}, err
	}
	unlock, err := store.Lock(ctx, k)
	if err != nil {
		return made{}, err
	}
	defer unlock()
	if done, ok := store.Memo(k); ok {
		return recall(done)
	}
	dir, err := store.TempDir("nodeos")
	if err != nil {
		return made{}, err
	}
	defer os.RemoveAll(dir)
	s := &stage{ctx: ctx, in: in, store: store, inputs: inputs, path: filepath.Join(dir, "image"),
		node: bundle.Artifact{Digest: node, Size: nodeSize}}
	if err := s.squash(base, progress); err != nil {
		return made{}, err
	}
	m, err := s.seal()
	if err != nil {
		return made{}, err
	}
	return m, store.SetMemo(k, m.artifacts())
}

type stage struct {
	ctx    context.Context
	in     Input
	store  *bundle.Store
	inputs digest.Digest
	path   string // of the image under way
	node   bundle.Artifact
	debian string
	made   made
}

// squash streams the tree into mksquashfs: no copy of it is ever laid out, and no
// rights are needed.
func (s *stage) squash(base bundle.Artifact, progress bundle.Progress) error {
	// Not sqfstar, which is the same program: 4.5.1's cannot read -X options.
	cmd := command(s.ctx, "mksquashfs", "-", s.path, "-tar", "-comp", "zstd", "-Xcompression-level", "15", "-b", "128K",
		"-root-mode", "0755",
		"-reproducible", "-exit-on-error", "-no-progress", "-quiet")
	cmd.SysProcAttr = asRoot(os.Geteuid(), os.Getegid())
	// Every time in the file system becomes this; -root-time does nothing here.
	cmd.Env = append(cmd.Env, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", s.in.Epoch))
	log := &lastLines{}
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	streamErr := s.stream(stdin, base, progress)
	closeErr := stdin.Close()
	err = cmd.Wait()
	// A stream that breaks off makes the tool fail too: the first cause counts. A
	// broken pipe is the other way round.
	if streamErr != nil && !errors.Is(streamErr, syscall.EPIPE) {
		return streamErr
	}
	if err != nil {
		return failed(s.ctx, "mksquashfs", filepath.Dir(s.path), err, log)
	}
	return errors.Join(streamErr, closeErr)
}

// stream writes the image's tree as tar.
func (s *stage) stream(w io.Writer, base bundle.Artifact, progress bundle.Progress) error {
	src, err := s.store.Open(base.Digest)
	if err != nil {
		return err
	}
	defer src.Close()
	epoch := time.Unix(s.in.Epoch, 0)
	own := map[string]bool{clean(nodeos.NodeProgram): true, clean(nodeos.IgnitionPath): true}
	for p := range s.in.Extra {
		own[clean(p)] = true
	}
	f := &filter{epoch: epoch, own: own, release: s.release, taken: map[string]func(io.Reader) error{
		nodeos.Kernel: s.take(nodeos.Kernel, &s.made.kernel), nodeos.Initrd: s.take(nodeos.Initrd, &s.made.initrd),
	}}
	t := tar.NewWriter(w)
	if err := f.run(tar.NewReader(&counted{r: src, total: base.Size, progress: progress}), t); err != nil {
		return err
	}
	for _, need := range []string{nodeos.Kernel, nodeos.Initrd, debianVersion, "usr/lib/systemd/systemd", "usr/lib/caisson"} {
		if !f.seen[need] {
			return incomplete.New("cannot make the node OS image: the tree of %d packages lacks %s", len(s.in.Debs), need).
				Hint("the packages come from another release than Debian 13, or os.packages replaces one of the base system")
		}
	}
	s.debian = f.debian
	if err := s.programs(t); err != nil {
		return err
	}
	if err := t.WriteHeader(entry{path: dpkgFrom, link: "../../" + dpkgTo}.header(s.in.Epoch)); err != nil {
		return err
	}
	for _, p := range slices.Sorted(maps.Keys(s.in.Extra)) {
		x := entry{path: clean(p), mode: 0o644, data: s.in.Extra[p]}
		if err := t.WriteHeader(x.header(s.in.Epoch)); err != nil {
			return err
		}
		if _, err := t.Write(x.data); err != nil {
			return err
		}
	}
	return t.Close()
}

// programs adds those that are built apart from Debian's packages.
func (s *stage) programs(t *tar.Writer) error {
	for _, p := range []struct {
		path string
		a    bundle.Artifact
	}{{nodeos.NodeProgram, s.node}, {nodeos.IgnitionPath, s.in.Ignition}} {
		h := entry{path: clean(p.path), mode: 0o755}.header(s.in.Epoch)
		h.Size = p.a.Size
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		r, err := s.store.Open(p.a.Digest)
		if err != nil {
			return err
		}
		_, err = io.Copy(t, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}

// release are the lines that os-release(5) gets.
func (s *stage) release(debian string) string {
	return fmt.Sprintf("VARIANT=\"Caisson node\"\nVARIANT_ID=caisson\nIMAGE_ID=caisson\nIMAGE_VERSION=%s\n", version(debian, s.in.Epoch, s.inputs))
}

func (s *stage) take(name string, to *bundle.Artifact) func(io.Reader) error {
	return func(r io.Reader) error {
		d, n, err := s.store.Put(s.ctx, r, "")
		*to = bundle.Artifact{Name: "os/" + name, Digest: d, Size: n, Mode: 0o644}
		return err
	}
}

// seal adds the verity tree to the finished squashfs and takes it into the
// Store. Salt and UUID come from the inputs: fixed for one image, different for
// another.
func (s *stage) seal() (made, error) {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return made{}, err
	}
	defer f.Close()
	n, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return made{}, err
	}
	offset := (n + blockSize - 1) / blockSize * blockSize
	if err := f.Truncate(offset); err != nil {
		return made{}, err
	}
	salt := sha256.Sum256([]byte("caisson verity salt " + s.inputs))
	id := sha256.Sum256([]byte("caisson verity uuid " + s.inputs))
	uuid := [16]byte(id[:16])
	uuid[6], uuid[8] = uuid[6]&0x0f|0x80, uuid[8]&0x3f|0x80 // RFC 9562, version 8
	v, err := verityOf(io.NewSectionReader(f, 0, offset), salt[:], uuid)
	if err != nil {
		return made{}, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return made{}, err
	}
	if err := v.writeTo(f); err != nil {
		return made{}, s.store.DiskFault(err, 0)
	}
	if err := f.Close(); err != nil {
		return made{}, err
	}
	d, size, err := s.store.Adopt(s.ctx, s.path, "")
	if err != nil {
		return made{}, err
	}
	s.made.os = bundle.OSImage{Version: version(s.debian, s.in.Epoch, s.inputs), Image: d, Size: size, HashOffset: offset, RootHash: v.root()}
	return s.made, nil
}

// counted reports what was read of the base tree.
type counted struct {
	r           io.Reader
	done, total int64
	said        int64
	progress    bundle.Progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.done += int64(n); c.done-c.said >= 4<<20 || err == io.EOF {
		c.said = c.done
		c.progress(work+" image", c.done, c.total)
	}
	return n, err
}
