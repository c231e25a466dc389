package assemble

import (
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkWarmWriteAgainstCopy writes a medium whose 512 MiB of blobs all lie in
// the Store, each compared with its digest on the way, and lets cp copy the same
// file; both from page cache. copy-ratio is ours through cp's wall time,
// synced-copy-ratio the same where the copy is synced too, as the medium is.
func BenchmarkWarmWriteAgainstCopy(b *testing.B) {
	s, store := small(b)
	rng := rand.NewChaCha8([32]byte{3})
	for range 32 {
		d, n, err := store.Put(b.Context(), io.LimitReader(rng, 16<<20), "")
		if err != nil {
			b.Fatal(err)
		}
		s.blobs = append(s.blobs, blob{d, n, "image", []string{"bench"}, ""})
	}
	dir := b.TempDir()
	path, copied := filepath.Join(dir, "bench.iso"), filepath.Join(dir, "copy.iso")
	var ours, plain, synced time.Duration
	for b.Loop() {
		_ = os.Remove(path)
		at := time.Now()
		if _, err := s.Write(b.Context(), store, path, quiet); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(at)
		for _, c := range []struct {
			script string
			sum    *time.Duration
		}{{`cp "$0" "$1"`, &plain}, {`cp "$0" "$1" && sync "$1"`, &synced}} {
			_ = os.Remove(copied)
			at := time.Now()
			if out, err := exec.Command("sh", "-c", c.script, path, copied).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			*c.sum += time.Since(at)
		}
	}
	b.ReportMetric(ours.Seconds()/plain.Seconds(), "copy-ratio")
	b.ReportMetric(ours.Seconds()/synced.Seconds(), "synced-copy-ratio")
	b.ReportMetric(ours.Seconds()/float64(b.N), "our-s")
}
