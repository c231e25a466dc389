package node

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// host is what the screens act through: the flow of an install, cut where a
// person decides. It is the one place where screens meet the machine.
type host struct {
	c installCmd
	r *run
	v *voice

	mu       sync.Mutex
	in       plan.Input // without answers; its Machine is the last one seen
	verified *bundle.Verified
	opened   *secrets.Set // of that medium; in no other place
	address  string       // of the node of the last plan
	lost     bool         // the medium was gone at the last look
}

// Verify checks the medium and says what there is to decide on.
func (h *host) Verify(ctx context.Context, progress func(done, total int64)) (tui.Facts, error) {
	r := *h.r
	r.ctx = ctx
	r.raise(h.v.sink, map[string]bool{}) // so that links are there once the medium was checked
	in, verified, err := h.c.gather(&r, func(e event.Event) {
		if e.Name == "media.check" {
			progress(e.Done, e.Size)
		}
		h.v.sink(e)
	})
	if err != nil {
		return tui.Facts{}, h.told(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.in, h.verified, h.opened = in, verified, nil
	refused, err := refusals(in)
	if err != nil {
		return tui.Facts{}, h.told(err)
	}
	node, known, err := spec.FindNode(in.Enclave, in.Machine.Identity())
	if err != nil {
		return tui.Facts{}, h.told(err)
	}
	m := verified.Manifest()
	facts := tui.Facts{Enclave: in.Enclave, Release: m.Release, Manifest: verified.Digest(), Built: time.Unix(m.Epoch, 0).UTC(),
		Machine: in.Machine, Refused: refused, Needs: map[string]profiles.Needs{}, Places: map[string]tui.Place{}, Secrets: m.Secrets}
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		facts.Needs[role] = in.Profile.Needs(role)
		facts.Places[role] = place(in.Profile, in.Enclave, role)
		if plan.NeedsSecrets(in.Profile, m, role) {
			facts.SecretRoles = append(facts.SecretRoles, role)
		}
	}
	if known {
		facts.Node = node.Name
	}
	facts.Answers, facts.AnswersFrom, facts.AnswersErr = search{env: r.env, file: h.c.Answers, medium: verified, enclave: in.Enclave}.open()
	switch {
	case facts.AnswersErr != nil:
		h.told(facts.AnswersErr)
	case facts.AnswersFrom != "":
		h.v.sink(event.Event{Name: "answers", Message: "the screens are filled in from " + facts.AnswersFrom, Data: map[string]string{"from": facts.AnswersFrom}})
	}
	return facts, nil
}

// place is what the profile says of a new node of the role.
func place(p profiles.Profile, e spec.Enclave, role string) tui.Place {
	j, ok := p.(profiles.Joiner)
	if !ok {
		return tui.Place{}
	}
	joins, err := j.Joins(e, role)
	return tui.Place{Joins: joins, Err: err}
}

// refusals says of each disk, by its stable path, why it cannot be taken.
func refusals(in plan.Input) (map[string]string, error) {
	j, err := plan.Judge(in)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, d := range in.Machine.Disks {
		if err := j.Disks[d.Name]; err != nil {
			out[d.StablePath()] = err.Error()
		}
	}
	return out, nil
}

// Rescan looks at the machine again: cables and disks come and go.
func (h *host) Rescan(context.Context) (machine.Machine, map[string]string, error) {
	m, err := machine.Probe(h.r.env.Root())
	if err != nil {
		return m, nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.in.Machine = m
	if h.verified == nil {
		return m, nil, nil
	}
	refused, err := refusals(h.in)
	return m, refused, err
}

// OpenSecrets opens what the medium brings sealed and keeps it for Install.
func (h *host) OpenSecrets(_ context.Context, passphrase string) error {
	h.mu.Lock()
	verified := h.verified
	h.mu.Unlock()
	set, err := openSecrets(h.r, verified, passphrase)
	if err != nil {
		return h.told(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.verified != verified {
		return h.told(tui.Changed.New("cannot use the secrets: have them from another check of the medium, need them from the last"))
	}
	h.opened = set
	h.v.sink(event.Event{Name: "secrets.ok", Message: "the sealed secrets are open, and are those that the medium names", Data: map[string]string{"sealed": string(set.Sealed())}})
	return nil
}

// Watch looks for the medium, and takes one that was plugged in again.
func (h *host) Watch(context.Context) error {
	err := h.r.env.Medium(h.c.Medium)
	h.mu.Lock()
	told := h.lost
	h.lost = err != nil
	h.mu.Unlock()
	if err != nil && !told {
		return h.told(err)
	}
	return err
}

// Plan makes the plan of these answers on the machine as it was last seen.
func (h *host) Plan(a spec.Answers) (plan.Plan, error) {
	h.mu.Lock()
	in := h.in
	h.mu.Unlock()
	complete, err := spec.Complete(in.Enclave, a)
	if err != nil {
		return plan.Plan{}, err
	}
	in.Answers = complete
	p, err := plan.Make(in)
	if err != nil {
		return p, h.c.orGone(h.r, err)
	}
	h.mu.Lock()
	h.address = complete.Network.Address
	h.mu.Unlock()
	h.v.sink(event.Event{Name: "plan", Message: p.Text(), Steps: len(p.Steps), Size: p.Bytes(), Data: map[string]string{
		"plan": string(p.ID), "node": p.Node, "role": p.Role, "disk": p.Disk.Path, "answers": "the screens"}})
	return p, nil
}

// Install carries out a plan that a person agreed to.
func (h *host) Install(ctx context.Context, p plan.Plan, erase string, events event.Sink) (tui.Result, error) {
	confirmed, err := plan.Confirm(p, erase)
	if err != nil {
		return tui.Result{}, h.told(err)
	}
	r := *h.r
	r.ctx = ctx
	h.mu.Lock()
	opened := h.opened
	h.mu.Unlock()
	recorded, err := h.c.carryOut(&r, confirmed, h.verified, opened, event.Tee(h.v.steps, events))
	if err != nil {
		return tui.Result{}, h.told(err)
	}
	h.v.done(nil, map[string]string{"node": p.Node, "plan": string(p.ID), "record": string(recorded), "after": p.After})
	return tui.Result{Record: recorded, Address: h.address}, nil
}

// told says an error to whoever reads the events; the screens show it too.
func (h *host) told(err error) error {
	for _, e := range errorEvents(err) {
		h.v.sink(e)
	}
	return err
}

// SaveAnswers writes an answer file that installs such a node with nobody present.
func (h *host) SaveAnswers(_ context.Context, a spec.Answers) (string, error) {
	raw, err := spec.WriteAnswers(a)
	if err != nil {
		return "", err
	}
	stick, err := h.r.onStick(fileName, func(w io.Writer) error { _, err := w.Write(raw); return err })
	return fileName + " on " + stick, err
}

// SupportBundle writes what somebody far away needs to see.
func (h *host) SupportBundle(ctx context.Context) (string, error) {
	h.mu.Lock()
	m, medium := h.in.Machine, "not checked"
	if h.verified != nil {
		medium = h.verified.Manifest().Release + " " + string(h.verified.Digest())
	}
	h.mu.Unlock()
	return h.r.bundleOnStick(ctx, m, medium)
}

// SetClock sets the clock of this machine.
func (h *host) SetClock(t time.Time) error { return h.r.env.SetClock(t) }

// Shell opens a root shell at a console, if the checked Spec allows one.
func (h *host) Shell(console string) error {
	h.mu.Lock()
	allowed := h.in.Enclave
	if h.verified == nil {
		allowed = spec.Enclave{}
	}
	h.mu.Unlock()
	if err := mayShell(allowed); err != nil {
		return err
	}
	h.v.sink(event.Event{Name: "shell", Message: "a root shell was opened at " + console})
	err := h.r.env.Shell(h.r.ctx, "/dev/"+console)
	h.v.sink(event.Event{Name: "shell", Message: "the root shell at " + console + " has ended"})
	return err
}

// Leave restarts or powers off.
func (h *host) Leave(how string) error { return h.r.env.Leave(how) }

// firstSight is what the medium says of itself before it was checked.
func firstSight(medium fs.FS) (tui.Medium, error) {
	m, d, err := bundle.Peek(medium)
	if err != nil {
		return tui.Medium{}, err
	}
	out := tui.Medium{Enclave: m.Enclave, Release: m.Release, Manifest: d, Built: time.Unix(m.Epoch, 0).UTC()}
	raw, err := fs.ReadFile(medium, bundle.SpecPath)
	if err != nil {
		return out, fmt.Errorf("cannot read the Spec of the medium: %w", err)
	}
	loaded, err := spec.Parse(raw, "")
	if err != nil {
		return out, err
	}
	out.Classification = loaded.Enclave.Classification
	return out, nil
}
