package vm

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
)

func TestFeedWaitsForEventsOfTheRealWriter(t *testing.T) {
	r, w := io.Pipe()
	var log bytes.Buffer
	f := NewFeed(time.Now(), &log)
	go f.Read(r)
	ctx := ctxFor(t, 10*time.Second)
	go func() {
		say := event.Lines(w, "installer")
		say(event.Event{Name: "boot", Data: map[string]string{"firmware": "uefi"}})
		_, _ = io.WriteString(w, "a line of somebody else\n{\"seq\": 7}\n")
		say(event.Event{Name: "step", Step: 1, Steps: 2})
		say(event.Event{Name: "done"})
		_, _ = io.WriteString(w, `{"name": "half a li`) // the power goes
		w.Close()
	}()
	step, next, err := f.Wait(ctx, 0, Named("step"))
	if err != nil || step.Step != 1 || step.Source != "installer" {
		t.Fatalf("have %+v, %v", step, err)
	}
	if _, _, err := f.Wait(ctx, next, Named("done")); err != nil {
		t.Fatal(err)
	}
	// Past events count, from the index asked for only.
	if s, _, err := f.Wait(ctx, 0, Named("boot")); err != nil || s.Data["firmware"] != "uefi" {
		t.Errorf("boot: have %+v, %v", s, err)
	}
	if _, _, err := f.Wait(ctx, next, Named("boot")); !errors.Is(err, errFeedEnded) {
		t.Errorf("boot again: have %v, want %v", err, errFeedEnded)
	}
	if bad := f.Bad(); len(bad) != 2 || len(f.All()) != 3 {
		t.Errorf("have %d events and bad lines %q, want 3 and 2", len(f.All()), bad)
	}
	if !strings.Contains(log.String(), "somebody else") || strings.Contains(log.String(), "half") {
		t.Errorf("log is %q", log.String())
	}
}

func TestWaitEventStopsAtAnError(t *testing.T) {
	v := &VM{Events: NewFeed(time.Now(), nil)}
	v.Events.Read(strings.NewReader(`{"name":"boot"}
{"name":"error","source":"installer","code":"DISK-TOO-SMALL","message":"have 2.0 GiB"}
{"name":"error","source":"installer","code":"FIRMWARE-BIOS"}
{"name":"done","data":{"result":"failed"}}
`))
	_, err := v.WaitEvent(t.Context(), "the ready event", Named("ready", "done"))
	if !GuestError.Is(err) || !strings.Contains(err.Error(), "DISK-TOO-SMALL") {
		t.Errorf("have %v, want %s with the guest's code", err, GuestError.Code)
	}
	if s, err := v.WaitEvent(t.Context(), "the error", Named("error")); err != nil || s.Code != "DISK-TOO-SMALL" {
		t.Errorf("waiting for the error itself: have %+v, %v", s, err)
	}
	if done, before, err := v.WaitDone(t.Context()); err != nil || done.Data["result"] != "failed" || len(before) != 3 {
		t.Errorf("waiting for the end whatever comes: have %+v behind %d events, %v", done, len(before), err)
	}
}

func TestFeedGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	patience := errors.New("out of patience")
	cancel(patience)
	if _, _, err := NewFeed(time.Now(), nil).Wait(ctx, 0, Named("boot")); !errors.Is(err, patience) {
		t.Errorf("have %v, want %v", err, patience)
	}
}

func TestSerialTextIsReadable(t *testing.T) {
	for _, tt := range []struct{ name, in, out string }{
		{"colours and carriage returns", "\x1b[0;32m  OK  \x1b[0m] Started\r\nnext", "  OK  ] Started\nnext"},
		{"cursor moves begin a line", "\x1b[2J\x1b[01;01HBdsDxe\x1b[05;10HShell>", "\nBdsDxe\nShell>"},
		{"window title and charset", "\x1b]0;title\x07a\x1b(Bb\x1b=c", "abc"},
		{"DCS ends with its terminator", "a\x1bP+q6e\x1b\\b", "ab"},
		{"control bytes", "a\x00\x08b\tc\x7f", "ab\tc"},
	} {
		s := NewSerial()
		s.Read(strings.NewReader(tt.in))
		if got := s.Text(); got != tt.out {
			t.Errorf("%s: have %q, want %q", tt.name, got, tt.out)
		}
	}
}

func TestSerialWaitsAcrossReads(t *testing.T) {
	r, w := io.Pipe()
	s := NewSerial()
	go s.Read(r)
	go func() {
		for _, part := range []string{"Linux ver", "sion 6.12\nnode lo", "gin: "} {
			_, _ = io.WriteString(w, part)
		}
	}()
	ctx := ctxFor(t, 10*time.Second)
	got, next, err := s.Wait(ctx, 0, regexp.MustCompile(`version [0-9.]+$`))
	if err != nil || !strings.HasPrefix(got, "version ") {
		t.Fatalf("have %q, %v", got, err)
	}
	if _, next, err = s.Wait(ctx, next, regexp.MustCompile(`login: $`)); err != nil {
		t.Fatalf("prompt without a line end: %v", err)
	}
	w.Close()
	if _, _, err := s.Wait(ctx, next, regexp.MustCompile(`login`)); !errors.Is(err, errSerialEnded) {
		t.Errorf("have %v, want %v: what lies before the offset is past", err, errSerialEnded)
	}
	if got := s.Tail(1); got != "node login:" {
		t.Errorf("tail is %q", got)
	}
}

func TestConvertPPM(t *testing.T) {
	var out bytes.Buffer
	// The second pixel's first byte is a line end: only the header has lines.
	if err := convertPPM(strings.NewReader("P6\n2 1\n255\n\xff\x00\x00\n\x0b\x0c"), &out); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := img.At(1, 0).RGBA(); r>>8 != 0x0a || g>>8 != 0x0b || b>>8 != 0x0c {
		t.Errorf("have %x %x %x, want 0a 0b 0c", r>>8, g>>8, b>>8)
	}
	for _, bad := range []string{"", "P5\n1 1\n255\nx", "P6\n0 1\n255\n", "P6\n99999 99999\n255\n", "P6\n1 1\n255\n\x00"} {
		if err := convertPPM(strings.NewReader(bad), io.Discard); err == nil {
			t.Errorf("%q: have no error, want one", bad)
		}
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(`{"seq":1,"name":"boot","data":{"slot":"a"}}` + "\n"))
	f.Add([]byte("\n{}\nnull\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		feed := NewFeed(time.Now(), nil)
		feed.Read(bytes.NewReader(in))
		lines := bytes.Count(in, []byte("\n"))
		if got := len(feed.All()) + len(feed.Bad()); got != lines {
			t.Errorf("have %d events and bad lines, want one for each of %d lines", got, lines)
		}
	})
}

func FuzzSerial(f *testing.F) {
	f.Add([]byte("\x1b[01;01HBdsDxe\x1b]0;t\x07\x1bP\x1b\\"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := NewSerial()
		s.Read(bytes.NewReader(in))
		if strings.ContainsAny(s.Text(), "\x00\x07\x1b\r\x7f") {
			t.Errorf("%q: a control byte came through", s.Text())
		}
	})
}

func FuzzPPM(f *testing.F) {
	f.Add([]byte("P6\n2 1\n255\n\xff\x00\x00\n\x0b\x0c"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<12 {
			t.Skip()
		}
		_ = convertPPM(bytes.NewReader(in), io.Discard)
	})
}
