package judge_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/judge"
)

// witness notes how a test ends; the ending itself stops the goroutine, as a
// real test's does.
type witness struct {
	testing.TB
	ended string
}

func (w *witness) Helper() {}
func (w *witness) Fatalf(format string, args ...any) {
	w.ended = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (w *witness) Skipf(format string, args ...any) {
	w.ended = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestNeed(t *testing.T) {
	for _, c := range []struct{ ci, program, want string }{
		{"true", "sh", ""}, {"", "sh", ""}, {"", "no-such-judge", "skipped: no-such-judge"}, {"false", "no-such-judge", "skipped: "},
		{"true", "no-such-judge", "failed: cannot judge: have no no-such-judge"},
	} {
		t.Setenv("CI", c.ci)
		w := &witness{}
		over := make(chan string)
		go func() {
			path := ""
			defer func() { over <- path }()
			path = judge.Need(w, c.program, "some-package")
		}()
		path := <-over
		if !strings.HasPrefix(w.ended, c.want) || (c.want == "") != (w.ended == "") || (c.want == "") != (path != "") {
			t.Errorf("CI=%q, %s: have path %q and %q, need %q", c.ci, c.program, path, w.ended, c.want)
		}
	}
}
