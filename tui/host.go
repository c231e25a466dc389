package tui

import (
	"context"
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

// Host does what the screens ask for. Its methods may take long and are called
// from goroutines of their own; each but Leave and Shell stops with ctx.
type Host interface {
	// Verify checks every byte of the medium and says what is known then.
	Verify(ctx context.Context, progress func(done, total int64)) (Facts, error)
	// Rescan probes the machine anew; refused is as in Facts.
	Rescan(ctx context.Context) (m machine.Machine, refused map[string]string, err error)
	// WatchLinks calls changed with the state of every card's cable, at once and
	// whenever it is another, until ctx ends. It brings the cards up: one that is
	// down shows no cable.
	WatchLinks(ctx context.Context, changed func(up map[string]bool))
	// AskAddress asks on the cards of the network who has its address.
	AskAddress(ctx context.Context, n spec.NodeNetwork) AddressAsked
	// Watch says why the medium cannot be read any more. One that was plugged in
	// again is taken again.
	Watch(ctx context.Context) error
	// Plan is plan.Make on what was verified.
	Plan(a spec.Answers) (plan.Plan, error)
	// OpenSecrets opens the medium's sealed secrets and keeps them for Install.
	OpenSecrets(ctx context.Context, passphrase string) error
	// HashPassword makes a crypt(5) hash with a salt of its own, and keeps nothing.
	HashPassword(password string) (hash string, err error)
	// Install is plan.Confirm with erase, then apply.Run; its events go to sink.
	Install(ctx context.Context, p plan.Plan, erase string, sink event.Sink) (Result, error)
	// SaveAnswers writes an answer file to a stick and says where.
	SaveAnswers(ctx context.Context, a spec.Answers) (where string, err error)
	// ReadKeys reads the public keys on a stick, and says which stick that was.
	ReadKeys(ctx context.Context) (keys []string, where string, err error)
	// SupportBundle writes one to a stick and says where.
	SupportBundle(ctx context.Context) (where string, err error)
	SetClock(t time.Time) error
	// Leave ends the session: "reboot" or "poweroff".
	Leave(how string) error
	// Shell runs a root shell on a console, by its name, until it ends. It is
	// asked for only if the checked Spec allows one; the console is the shell's until then.
	Shell(console string) error
}

// pace is how often progress is passed on: a serial line carries little.
const pace = 250 * time.Millisecond

// carryOut asks the host for an effect and gives the event that answers it.
func (s *Session) carryOut(e Effect) Event {
	ctx := s.ctx
	switch e := e.(type) {
	case Verify:
		var said time.Time
		facts, err := s.host.Verify(ctx, func(done, total int64) {
			if done < total && time.Since(said) < pace {
				return
			}
			said = time.Now()
			s.Send(MediumProgress{done, total})
		})
		if err != nil {
			return MediumFailed{err}
		}
		return MediumOK{facts}
	case Rescan:
		m, refused, err := s.host.Rescan(ctx)
		return Rescanned{Machine: m, Refused: refused, Err: err}
	case WatchLinks:
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() { // the session does not wait for a watch
			select {
			case <-s.over:
				stop()
			case <-ctx.Done():
			}
		}()
		s.host.WatchLinks(ctx, func(up map[string]bool) { s.Send(Links{up}) })
		return nil
	case AskAddress:
		return s.host.AskAddress(ctx, e.Network)
	case Watch:
		return Watched{s.host.Watch(ctx)}
	case Plan:
		p, err := s.host.Plan(e.Answers)
		return Planned{e.Number, p, err}
	case OpenSecrets:
		return SecretsOpened{e.Number, s.host.OpenSecrets(ctx, string(e.Passphrase))}
	case HashPassword:
		hash, err := s.host.HashPassword(string(e.Password))
		return Hashed{e.Number, hash, err}
	case Install:
		var said time.Time
		r, err := s.host.Install(ctx, e.Plan, e.Erase, func(ev event.Event) {
			if ev.Name == "progress" && ev.Done < ev.Size && time.Since(said) < pace {
				return
			}
			said = time.Now()
			s.Send(InstallEvent{ev})
		})
		return Installed{r, err}
	case SaveAnswers:
		where, err := s.host.SaveAnswers(ctx, e.Answers)
		return Saved{where, err}
	case ReadKeys:
		keys, where, err := s.host.ReadKeys(ctx)
		return KeysRead{keys, where, err}
	case SupportBundle:
		where, err := s.host.SupportBundle(ctx)
		return Bundled{where, err}
	case SetClock:
		err := s.host.SetClock(e.Now)
		s.Send(Tick{s.now()})
		return ClockSet{err}
	case Shell:
		return Left{s.shell()}
	case Leave:
		if err := s.host.Leave(e.How); err != nil {
			return Left{err}
		}
		s.end(nil)
		return nil
	}
	return nil
}
