package node

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/version"
	"caisson.dev/caisson/tui"
)

// argTUI is the kernel argument for the screens: words with commas between them.
// "off" shows none; "plain" asks line by line, for screen readers; "mono",
// "ascii" and "large" change how the screens look.
const argTUI = "caisson.tui"

// asks says whether a person has to be asked: nobody has given answers, and there
// is a terminal to ask at. A roster entry alone is no consent.
func (c installCmd) asks(r *run) bool {
	line := r.env.Cmdline()
	if c.Answers != "" || slices.Contains(wishes(line), "off") {
		return false
	}
	for _, name := range []string{argAnswers, argNode, argErase} {
		if argument(line, name) != "" {
			return false
		}
	}
	if _, err := r.env.Labelled(label, fileName); err == nil {
		return false
	}
	_, err := os.Stat(filepath.Join(c.Medium, onMedium))
	return err != nil
}

// wishes are how the screens shall be, as words.
func wishes(cmdline string) []string { return strings.Split(argument(cmdline, argTUI), ",") }

// screens leads a person through the install, on every console at once. Events go
// to the port and, as lines, to the journal.
func (c installCmd) screens(r *run, terminals []terminal) error {
	medium, err := firstSight(os.DirFS(c.Medium))
	sinks := []event.Sink{plain(r.errw, r.now)}
	if err != nil { // no screens: the consoles get the words
		for _, t := range terminals {
			sinks = append(sinks, plain(t.File, r.now))
		}
	}
	v := r.voiceOf("installer", sinks...)
	v.sink(event.Event{Name: "start", Message: "Caisson " + version.Version + " installer", Data: map[string]string{"version": version.Version, "asks": "yes"}})
	if err != nil {
		v.done(err, map[string]string{"disk": "not written"})
		return err
	}
	r.env.Quiet()
	s := tui.NewSession(tui.New(medium), &host{c: c, r: r, v: v}, r.now)
	words := wishes(r.env.Cmdline())
	var served sync.WaitGroup
	for _, t := range terminals {
		served.Go(func() {
			defer t.File.Close()
			if err := serve(r.ctx, s, t, words); err != nil {
				v.sink(event.Event{Name: "console", Message: "the screens at " + t.Name + " ended: " + err.Error()})
			}
		})
	}
	err = s.Run(r.ctx)
	served.Wait()
	// After an install this is said already.
	v.done(err, map[string]string{"disk": "not written"})
	return err
}

// serve shows the screens at one console. A serial line may end in any kind of
// terminal: it gets plain characters, and of control sequences the few that the
// Linux console has, which every emulator and most BMCs know as well.
func serve(ctx context.Context, s *tui.Session, t terminal, words []string) error {
	at := dressed(tui.Terminal{Name: t.Name, In: t.File, Out: t.File, ASCII: t.Serial}, words)
	if slices.Contains(words, "plain") {
		at.Echo = func(on bool) { echo(t.File, on) }
		return s.Plain(ctx, at)
	}
	return s.Console(ctx, at)
}

// dressed is a terminal that shows the screens as the words wish.
func dressed(t tui.Terminal, words []string) tui.Terminal {
	t.TERM, t.Colour = "linux", tui.Colour16
	t.ASCII, t.Large = t.ASCII || slices.Contains(words, "ascii"), slices.Contains(words, "large")
	if slices.Contains(words, "mono") {
		t.Colour = tui.Mono
	}
	return t
}
