package node

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/version"
	"caisson.dev/caisson/tui"
)

// argTUI is the kernel argument for the screens: words with commas between them.
// "off" shows none; "plain" asks line by line, for screen readers; "mono",
// "ascii" and "large" change how the screens look, and go to the installed node
// for its status console. That has no lines to ask by: "plain" is "mono,ascii" there.
const argTUI = "caisson.tui"

// asks says whether a person is asked: nobody has agreed beforehand that a disk may
// be erased. Answers without consent, and a roster entry, only fill the screens in.
func (c installCmd) asks(r *run) bool {
	if slices.Contains(wishes(r.env.Cmdline()), "off") {
		return false
	}
	// An error is said on the screens, once the medium is checked.
	a, _, _ := search{env: r.env, file: c.Answers, medium: unchecked{os.DirFS(c.Medium)}}.given()
	return a.Confirm.Erase == ""
}

// wishes are how the screens shall be, as words.
func wishes(cmdline string) []string { return strings.Split(argument(cmdline, argTUI), ",") }

// kept are the kernel words that the installed node has of the installer's: nobody
// can add one there, as its boot menu has no editor.
func kept(cmdline string) []string {
	var out []string
	for _, w := range []string{"plain", "mono", "ascii", "large"} {
		if slices.Contains(wishes(cmdline), w) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return []string{argTUI + "=" + strings.Join(out, ",")}
}

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
	if !t.Serial {
		at.Enlarge = enlarger(t.File)
	}
	if slices.Contains(words, "plain") {
		at.Echo = func(on bool) { echo(t.File, on) }
		return s.Plain(ctx, at)
	}
	return s.Console(ctx, at)
}

// dressed is a terminal that shows the screens as the words wish.
func dressed(t tui.Terminal, words []string) tui.Terminal {
	t.TERM, t.Colour = "linux", tui.Colour16
	has := func(word string) bool { return slices.Contains(words, word) }
	t.ASCII, t.Large = t.ASCII || has("ascii") || has("plain"), has("large")
	if has("mono") || has("plain") {
		t.Colour = tui.Mono
	}
	return t
}
