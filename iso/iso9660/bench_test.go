package iso9660

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/newfile"
)

// payload makes files of random bytes, as layers and binaries are to a writer:
// one large, some middling, many small. It returns them with their digests.
func payload(b *testing.B, dir string, mib int) map[string]digest.Digest {
	b.Helper()
	rng := rand.NewChaCha8([32]byte{1})
	out := map[string]digest.Digest{}
	add := func(name string, n int64) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		h := digest.New()
		if _, err := io.CopyN(io.MultiWriter(f, h), rng, n); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		out[name] = digest.FromSum(h.Sum(nil))
	}
	add("os.img", int64(mib)<<19)
	for i := range 16 {
		add(fmt.Sprintf("blob%02d", i), int64(mib)<<14)
	}
	for i := range 400 {
		add(fmt.Sprintf("small%03d", i), int64(mib)<<10/2)
	}
	return out
}

func plan(b *testing.B, dir string, files map[string]digest.Digest) (*Layout, Content) {
	b.Helper()
	v := Volume{Label: "BENCH", Epoch: 1763769600}
	for name := range files {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		v.Entries = append(v.Entries, Entry{Path: name, Size: st.Size()})
	}
	l, err := Plan(v)
	if err != nil {
		b.Fatal(err)
	}
	return l, Content{Source: func(p string) (Source, error) {
		return Source{Digest: files[p], Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, p)) }}, nil
	}}
}

func cpu(who int) time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(who, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peak is the largest resident set since resetPeak, MiB (proc(5), VmHWM).
func peak() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// BenchmarkWriteAgainstXorriso writes one tree with our writer and with xorriso,
// once with its own digest of each file (--md5, the one it has) and once without;
// all from page cache to a file on the same disk, ours past the cache as WriteFile
// does. Ours compares every file's SHA-256 on the way, or trusts files that were
// hashed a short time ago. md5-cpu-ratio is ours through xorriso's with digests,
// the same work; cpu-ratio is ours through xorriso's without; sha256-ratio is the
// part of that which hashing alone costs.
func BenchmarkWriteAgainstXorriso(b *testing.B) {
	for _, trusted := range []bool{false, true} {
		b.Run(map[bool]string{false: "digests", true: "trusted"}[trusted], func(b *testing.B) { againstXorriso(b, trusted) })
	}
}

func againstXorriso(b *testing.B, trusted bool) {
	xorriso, err := exec.LookPath("xorriso")
	if err != nil {
		b.Skip("xorriso is not installed")
	}
	dir, out := b.TempDir(), b.TempDir()
	files := payload(b, dir, 512)
	l, c := plan(b, dir, files)
	look := c.Source
	c.Source = func(p string) (Source, error) {
		s, err := look(p)
		s.Trusted = trusted
		return s, err
	}
	var hashing time.Duration
	begun := cpu(syscall.RUSAGE_SELF)
	for p := range files {
		f, err := os.Open(filepath.Join(dir, p))
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := digest.Reader(f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	hashing = cpu(syscall.RUSAGE_SELF) - begun
	run := func(more ...string) time.Duration {
		begun := cpu(syscall.RUSAGE_CHILDREN)
		cmd := exec.Command(xorriso, append(append([]string{"-as", "mkisofs", "-quiet", "-R", "-V", "BENCH"}, more...), "-o", filepath.Join(out, "theirs.iso"), dir)...)
		if said, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, said)
		}
		return cpu(syscall.RUSAGE_CHILDREN) - begun
	}
	var ours, theirs, theirsDigests, oursWall, theirsWall time.Duration
	for b.Loop() {
		f, err := os.Create(filepath.Join(out, "ours.iso"))
		if err != nil {
			b.Fatal(err)
		}
		begun, at := cpu(syscall.RUSAGE_SELF), time.Now()
		if _, err := l.Write(context.Background(), newfile.PastCache(f), c, Options{}); err != nil {
			b.Fatal(err)
		}
		ours, oursWall = ours+cpu(syscall.RUSAGE_SELF)-begun, oursWall+time.Since(at)
		f.Close()
		at = time.Now()
		theirs += run()
		theirsWall += time.Since(at)
		theirsDigests += run("--md5")
	}
	b.ReportMetric(ours.Seconds()/theirsDigests.Seconds(), "md5-cpu-ratio")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "cpu-ratio")
	b.ReportMetric(hashing.Seconds()*float64(b.N)/theirs.Seconds(), "sha256-ratio")
	b.ReportMetric(oursWall.Seconds()/theirsWall.Seconds(), "wall-ratio")
	b.ReportMetric(ours.Seconds()/float64(b.N), "our-cpu-s")
	b.ReportMetric(theirs.Seconds()/float64(b.N), "xorriso-cpu-s")
	b.ReportMetric(theirsDigests.Seconds()/float64(b.N), "xorriso-md5-cpu-s")
}

// BenchmarkWriteMemory shows that memory does not follow the payload: the peak
// resident set of the whole process, test included, at two sizes.
func BenchmarkWriteMemory(b *testing.B) {
	for _, mib := range []int{64, 1024} {
		b.Run(fmt.Sprintf("%dMiB", mib), func(b *testing.B) {
			dir := b.TempDir()
			l, c := plan(b, dir, payload(b, dir, mib))
			resetPeak()
			for b.Loop() {
				if _, err := l.Write(context.Background(), io.Discard, c, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(peak(), "peak-MiB")
		})
	}
}
