package bundle_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"testing/fstest"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// BenchmarkVerifyAgainstSHA256 checks a medium (files on disk, in page cache)
// and hashes the same files one after the other with crypto/sha256 alone, both
// on one processor and both on all. speed-ratio is Verify's speed through that;
// on one processor, 1 is the limit.
func BenchmarkVerifyAgainstSHA256(b *testing.B) {
	dir := b.TempDir()
	small, m := medium(b)
	rng := rand.NewChaCha8([32]byte{2})
	for i := range 24 {
		data := make([]byte, (4+i)<<20)
		_, _ = rng.Read(data)
		d := digest.Of(data)
		f := bundle.File{Path: bundle.BlobDir + "/" + d.Hex(), Size: int64(len(data)), Digest: d, Kind: "image"}
		small[f.Path] = &fstest.MapFile{Data: data}
		m.Files = append(m.Files, f)
	}
	seal(b, small, m)
	if err := os.CopyFS(dir, small); err != nil {
		b.Fatal(err)
	}
	var total int64
	for _, f := range m.Files {
		total += f.Size
	}
	onDisk := os.DirFS(dir)
	for _, cpus := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("%d-CPU", cpus), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			verifyAgainstSHA256(b, onDisk, m, total)
		})
	}
}

func verifyAgainstSHA256(b *testing.B, onDisk fs.FS, m bundle.Manifest, total int64) {
	var verify, plain time.Duration
	for b.Loop() {
		at := time.Now()
		if _, err := bundle.Verify(context.Background(), onDisk, nil); err != nil {
			b.Fatal(err)
		}
		verify += time.Since(at)
		at = time.Now()
		for _, f := range m.Files {
			hashFile(b, onDisk, f)
		}
		plain += time.Since(at)
	}
	b.SetBytes(total)
	b.ReportMetric(plain.Seconds()/verify.Seconds(), "speed-ratio")
	b.ReportMetric(float64(total)*float64(b.N)/1e6/plain.Seconds(), "sha256-MB/s")
}

func hashFile(b *testing.B, onDisk fs.FS, f bundle.File) {
	r, err := onDisk.Open(f.Path)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	h := digest.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 1<<20)); err != nil {
		b.Fatal(err)
	}
	if have := digest.FromSum(h.Sum(nil)); have != f.Digest {
		b.Fatalf("have %s, want %s", have, f.Digest)
	}
}
