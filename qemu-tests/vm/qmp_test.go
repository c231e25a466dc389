package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeQEMU speaks the server's side of QMP on one end of a pipe. answer gives
// the lines for a request.
func fakeQEMU(t *testing.T, greeting string, answer func(command string, id int) []string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	go func() {
		defer theirs.Close()
		fmt.Fprintln(theirs, greeting)
		in := bufio.NewScanner(theirs)
		for in.Scan() {
			var r request
			if err := json.Unmarshal(in.Bytes(), &r); err != nil {
				return
			}
			lines := []string{fmt.Sprintf(`{"return": {}, "id": %d}`, r.ID)}
			if r.Execute != "qmp_capabilities" {
				lines = answer(r.Execute, r.ID)
			}
			for _, l := range lines {
				if l == "hang up" {
					return
				}
				fmt.Fprintln(theirs, l)
			}
		}
	}()
	return ours
}

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}`

func ctxFor(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestQMPAnswersByIDWithEventsBetween(t *testing.T) {
	var mu sync.Mutex
	var events []string
	conn := fakeQEMU(t, greeting, func(command string, id int) []string {
		return []string{
			`{"event": "RTC_CHANGE", "data": {"offset": 1}, "timestamp": {"seconds": 1, "microseconds": 2}}`,
			`{"return": "stale", "id": 9999}`,
			fmt.Sprintf(`{"return": {"status": "%s"}, "id": %d}`, command, id),
		}
	})
	ctx := ctxFor(t, 10*time.Second)
	q, err := NewQMP(ctx, conn, func(n Notice) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, n.Event)
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("command-%d", i)
			var got struct{ Status string }
			if err := q.Execute(ctx, name, nil, &got); err != nil || got.Status != name {
				t.Errorf("%s: have %q, %v", name, got.Status, err)
			}
		})
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(events) != 8 {
		t.Errorf("have %d events, want 8", len(events))
	}
}

func TestQMPFailures(t *testing.T) {
	for _, tt := range []struct {
		name, greeting string
		lines          []string
		says           string
	}{
		{"command refused", greeting, []string{`{"error": {"class": "GenericError", "desc": "no such screen"}, "id": 2}`}, "no such screen"},
		{"hangs up instead of answering", greeting, []string{"hang up"}, "closed connection"},
		{"answers nonsense", greeting, []string{"SeaBIOS"}, "closed connection"},
		{"event before the greeting", `{"event": "RESET"}`, nil, "before the greeting"},
		{"not QMP at all", "HTTP/1.1 400", nil, "greeting"},
		{"wrong shape", greeting, []string{`{"return": [], "id": 2}`}, "cannot read the answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := ctxFor(t, 10*time.Second)
			q, err := NewQMP(ctx, fakeQEMU(t, tt.greeting, func(string, int) []string { return tt.lines }), func(Notice) {})
			if err == nil {
				var got struct{ Status string }
				err = q.Execute(ctx, "query-status", nil, &got)
			}
			if !ControlRefused.Is(err) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("have %v, want %s and %q", err, ControlRefused.Code, tt.says)
			}
		})
	}
}

func TestQMPGivesUpWithItsContext(t *testing.T) {
	q, err := NewQMP(ctxFor(t, 10*time.Second), fakeQEMU(t, greeting, func(string, int) []string { return nil }), func(Notice) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Execute(ctx, "query-status", nil, nil); err != context.Canceled {
		t.Errorf("have %v, want %v", err, context.Canceled)
	}
}
