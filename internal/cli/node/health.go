package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"caisson.dev/caisson/internal/event"
)

// registryPatience is how long the registry may take to answer after a boot.
const registryPatience = 5 * time.Minute

type healthCmd struct{}

// Run is the gate before a boot counts as good: the file systems that make the
// node, and the registry that everything starts from. Kubernetes itself is not
// asked, for it may rightly be down while other nodes are.
func (healthCmd) Run(r *run) error {
	v := r.speak("node", false)
	err := health(r)
	for _, e := range errorsOf(err) {
		v.sink(e)
	}
	if err == nil {
		v.sink(event.Event{Name: "health", Message: "health: this version of the node OS works here", Data: map[string]string{"slot": slot(r.env.Cmdline())}})
	}
	return err
}

func errorsOf(err error) []event.Event {
	if err == nil {
		return nil
	}
	return errorEvents(err)
}

func health(r *run) error {
	var errs []error
	failed := func(format string, args ...any) {
		errs = append(errs, HealthFailed.New("cannot call this boot healthy: "+format, args...))
	}
	mounts, err := os.ReadFile(filepath.Join(r.root, "proc/mounts"))
	if err != nil {
		failed("%w", err)
	}
	for _, m := range []struct{ target, kind string }{{"/var", "ext4"}, {"/etc", "overlay"}} {
		if have := mounted(string(mounts), m.target); have != m.kind {
			failed("have %q mounted on %s, need %s", have, m.target, m.kind)
		}
	}
	n, err := load(r.root)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	ctx, cancel := context.WithTimeout(r.ctx, registryPatience)
	defer cancel()
	if err := answers(ctx, registryURL(n.service.Address)); err != nil {
		failed("the registry does not answer: %w", err)
	}
	return errors.Join(errs...)
}

func registryURL(address string) string { return "http://" + address + "/v2/" }

// retry is the pause between two requests to something that is starting.
const retry = 250 * time.Millisecond

// answers returns once the URL gives a 2xx answer, or with the last failure when
// ctx ends. No proxy is used: what a node waits for is on the node.
func answers(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{Proxy: nil}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		last := get(ctx, client, url)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return WaitTimeout.New("cannot reach %s: %w: %v", url, context.Cause(ctx), last).
				Hint("see the service behind it: systemctl status, journalctl -u")
		case <-tick.C:
		}
	}
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

type waitHTTPCmd struct {
	URL     string        `arg:"" help:"The URL, http:// and on this node."`
	Timeout time.Duration `default:"120s" help:"How long to wait."`
}

func (c waitHTTPCmd) Run(r *run) error {
	ctx, cancel := context.WithTimeout(r.ctx, c.Timeout)
	defer cancel()
	return answers(ctx, c.URL)
}
