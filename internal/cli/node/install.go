package node

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/images/zot"
	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/version"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

type installCmd struct {
	PassphraseFile string `type:"path" help:"Read the passphrase of sealed secrets from the first line of this file; without it, from caisson-passphrase.txt beside the answers."`
	Answers        string `type:"path" help:"The answer file (kind: Answers); without it they are looked for."`
	Medium         string `type:"path" default:"/run/initramfs/live" help:"Where the medium is mounted."`
	Unattended     bool   `help:"Ask nobody: consent must be in the answers, and on an error the machine stays as it is."`
	DryRun         bool   `help:"Print the plan and change nothing."`
	Screens        bool   `help:"Lead a person through the install on every console, unless the answers that are found agree to erase a disk: then as with --unattended."`
	JSON           bool   `help:"Machine-readable, and nobody is asked: events as JSON lines that end with done; with --dry-run, the plan."`
}

// Run installs. Its event stream ends with "done" in every case.
func (c installCmd) Run(r *run) error {
	if c.DryRun {
		return c.dryRun(r)
	}
	if c.Screens {
		if c.asks(r) {
			if terminals := r.env.Terminals(); len(terminals) > 0 {
				return c.screens(r, terminals)
			}
		}
		c.Unattended = true
	}
	v := r.speak("installer", c.JSON)
	p, recorded, err := c.install(r, v)
	if err != nil {
		disk := "not written"
		if v.wrote {
			disk = "does not boot"
		}
		v.done(err, map[string]string{"disk": disk})
		return c.stay(r, err)
	}
	v.done(nil, map[string]string{"node": p.Node, "plan": string(p.ID), "record": recorded, "after": p.After})
	if p.After == "stay" {
		return nil
	}
	return r.env.Leave(p.After)
}

// stay leaves a failed install to a person; a test asks for the power to go.
func (c installCmd) stay(r *run, err error) error {
	if c.Unattended && argument(r.env.Cmdline(), argOnError) == "poweroff" {
		if off := r.env.Leave("poweroff"); off != nil {
			return off
		}
	}
	return err
}

// dryRun prints the plan alone to the output; what leads to it goes to the side.
func (c installCmd) dryRun(r *run) error {
	text, err := c.planned(r)
	if err != nil && c.JSON {
		return r.failed("installer", err)
	}
	if err != nil {
		return err
	}
	_, err = r.out.Write(text)
	return err
}

func (c installCmd) planned(r *run) ([]byte, error) {
	in, _, _, err := c.input(r, plain(r.errw, r.now))
	if err != nil {
		return nil, err
	}
	p, err := plan.Make(in)
	if err != nil {
		return nil, err
	}
	if c.JSON {
		return p.JSON()
	}
	return []byte(p.Text()), nil
}

// install is the whole flow on the target.
func (c installCmd) install(r *run, v *voice) (p plan.Plan, recorded string, err error) {
	v.sink(event.Event{Name: "start", Message: "Caisson " + version.Version + " installer", Data: map[string]string{"version": version.Version}})
	r.raise(v.sink, map[string]bool{}) // long before their links are asked for
	in, verified, from, err := c.input(r, v.sink)
	if err != nil {
		return p, "", err
	}
	if p, err = plan.Make(in); err != nil {
		return p, "", err
	}
	v.sink(event.Event{Name: "plan", Message: p.Text(), Steps: len(p.Steps), Size: p.Bytes(), Data: map[string]string{
		"plan": string(p.ID), "node": p.Node, "role": p.Role, "disk": p.Disk.Path, "answers": from}})
	if err := r.testAddress(v.sink, in.Machine, in.Answers.Network); err != nil {
		return p, "", err
	}
	erase := in.Answers.Confirm.Erase
	if erase == "" && !c.Unattended && !c.JSON {
		if erase, err = ask(r); err != nil {
			return p, "", err
		}
	}
	confirmed, err := plan.Confirm(p, erase)
	if err != nil {
		return p, "", err
	}
	set, err := c.unattended(r, verified, p.Secrets(), v.sink)
	if err != nil {
		return p, "", err
	}
	d, err := c.carryOut(r, confirmed, verified, set, v.steps)
	return p, string(d), err
}

// carryOut does what was agreed to, and gives the Record's digest.
func (c installCmd) carryOut(r *run, confirmed plan.Confirmed, medium images.Reader, opened *secrets.Set, events event.Sink) (digest.Digest, error) {
	if err := r.env.Medium(c.Medium); err != nil {
		return "", err // before the first write: the disk stays what it is
	}
	journal, err := openJournal(r.env.Scratch())
	if err != nil {
		return "", err
	}
	defer journal.Close()
	log := r.out
	if c.JSON || c.Screens && !c.Unattended { // the output is for events alone, or lies under the screens
		log = r.errw
	}
	rec, err := apply.Run(r.ctx, confirmed, apply.Deps{
		System: r.env.System(log), Bundle: medium, Secrets: opened, Lay: r.env.Lay, Events: events, Journal: journal, Now: r.now,
		Probe:   func() (machine.Machine, error) { return machine.Probe(r.env.Root()) },
		Version: version.Version, Work: filepath.Join(r.env.Scratch(), "install"), Ignition: nodeos.IgnitionPath,
	})
	if err != nil {
		return "", c.orGone(r, err)
	}
	return canon.Digest(rec)
}

// input gathers all that a plan depends on: what the medium and the machine
// are, and the answers.
func (c installCmd) input(r *run, sink event.Sink) (plan.Input, *bundle.Verified, string, error) {
	in, verified, err := c.gather(r, sink)
	if err != nil {
		return plan.Input{}, nil, "", err
	}
	answers, from, err := search{env: r.env, file: c.Answers, medium: verified, machine: in.Machine, enclave: in.Enclave}.find()
	if err != nil {
		return plan.Input{}, nil, from, err
	}
	sink(event.Event{Name: "answers", Message: "answers from " + from, Data: map[string]string{"from": from, "node": answers.Name}})
	in.Answers = answers
	return in, verified, from, nil
}

// gather is an input without answers: the medium, checked to the last byte before
// anything else is believed, what it carries, and this machine.
func (c installCmd) gather(r *run, sink event.Sink) (plan.Input, *bundle.Verified, error) {
	if err := r.env.Medium(c.Medium); err != nil {
		return plan.Input{}, nil, err
	}
	verified, err := verifyMedium(r, c.Medium, sink)
	if err != nil {
		return plan.Input{}, nil, c.orGone(r, err)
	}
	keep(r, verified, sink)
	m, err := machine.Probe(r.env.Root())
	if err != nil {
		return plan.Input{}, nil, err
	}
	sink(event.Event{Name: "machine", Message: about(m), Data: map[string]string{
		"firmware": m.Firmware, "secureBoot": m.SecureBoot, "memory": m.Memory.String(), "serial": m.Serial, "uuid": m.UUID}})
	f, err := verified.OpenPath(bundle.SpecPath)
	if err != nil {
		return plan.Input{}, nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		return plan.Input{}, nil, err
	}
	loaded, err := spec.Parse(raw, "")
	if err != nil {
		return plan.Input{}, nil, err
	}
	e := loaded.Enclave
	profile, err := catalog.Get(e.Kubernetes.Profile)
	if err != nil {
		return plan.Input{}, nil, err
	}
	return plan.Input{Machine: m, Enclave: e, Spec: raw, Bundle: verified, Profile: profile, Engine: engine(e),
		Kernel: kept(r.env.Cmdline())}, verified, nil
}

// engine is the registry that the Spec names; spec refuses any other name.
func engine(e spec.Enclave) images.Engine {
	if e.Registry.Engine == spec.EngineDistribution {
		return distribution.Engine{}
	}
	return zot.Engine{}
}

// verifyMedium reports each hundredth of the medium, and each second of a slow one.
func verifyMedium(r *run, dir string, sink event.Sink) (*bundle.Verified, error) {
	sink(event.Event{Name: "media.begin", Message: "checking the medium at " + dir})
	var said int64
	at := r.now()
	v, err := bundle.Verify(r.ctx, os.DirFS(dir), func(done, total int64, _ string) {
		now := r.now()
		if done == said || done-said < total/100 && now.Sub(at) < time.Second && done < total {
			return
		}
		said, at = done, now
		sink(event.Event{Name: "media.check", Done: done, Size: total})
	})
	if err != nil {
		return nil, err
	}
	m := v.Manifest()
	sink(event.Event{Name: "media.ok", Message: fmt.Sprintf("medium %s: every byte of %d files is as its manifest says (manifest not signed in this version)", m.Release, len(m.Files)),
		Data: map[string]string{"release": m.Release, "manifest": string(v.Digest())}})
	return v, nil
}

// ask takes consent from the person at the keyboard.
func ask(r *run) (string, error) {
	fmt.Fprint(r.out, "\nTo erase the disk above and install, type its consent (serial:NUMBER, by-id:NAME, or any): ")
	line, err := bufio.NewReader(r.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// journalName is the install's journal in the scratch folder.
const journalName = "install.journal"

// openJournal opens the file that tells, line by line, what the install does. Its
// folder lets others through: the disk is mounted below it, and Ignition writes
// each user's keys there as that user.
func openJournal(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, journalName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

func about(m machine.Machine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "machine: %s %s, %d processors, %s of memory, firmware %s, Secure Boot %s", m.Vendor, m.Product, m.CPUs, m.Memory, m.Firmware, m.SecureBoot)
	for _, d := range m.Disks {
		fmt.Fprintf(&b, "\n  disk %s", d.Describe())
		if d.Medium {
			b.WriteString(" (the boot medium)")
		}
	}
	return b.String()
}
