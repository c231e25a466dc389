package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/assemble"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/sources"
	"caisson.dev/caisson/spec"
)

// choose loads a Spec and looks up what it names.
func choose(path string) (assemble.Choice, error) {
	l, err := spec.Load(path)
	if err != nil {
		return assemble.Choice{}, err
	}
	return assemble.Choose(l)
}

type validateCmd struct {
	Spec string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
}

func (c validateCmd) Run(r *run) error {
	choice, err := choose(c.Spec)
	if err != nil {
		return err
	}
	e := choice.Spec.Enclave
	return r.print(map[string]any{"valid": true, "enclave": e.Metadata.Name, "spec": choice.Spec.Digest},
		fmt.Sprintf("%s: valid: enclave %s, profile %s %s, registry %s, %d images, %d nodes\n",
			c.Spec, e.Metadata.Name, e.Kubernetes.Profile, e.Kubernetes.Version, e.Registry.Engine, len(e.Images), len(e.Nodes)))
}

// epoch is the time of everything built: SOURCE_DATE_EPOCH if set
// (reproducible-builds.org), else midnight (UTC) of the day the Lock is made.
func epoch() int64 {
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil && n > 0 {
		return n
	}
	return time.Now().UTC().Truncate(24 * time.Hour).Unix()
}

type lockCmd struct {
	Spec   string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
	Update bool   `help:"Pin everything anew, also what did not change."`
}

func (c lockCmd) Run(r *run) error {
	choice, err := choose(c.Spec)
	if err != nil {
		return err
	}
	lock, err := c.make(r, choice)
	if err != nil {
		return err
	}
	return r.print(map[string]any{"lock": assemble.LockPath(c.Spec), "digest": lock.Digest(), "pins": len(lock.Pins)},
		fmt.Sprintf("%s: %d inputs pinned, %s\n", assemble.LockPath(c.Spec), len(lock.Pins), lock.Digest()))
}

// make writes the Lock of a Spec anew, keeping pins that still hold.
func (c lockCmd) make(r *run, choice assemble.Choice) (bundle.Lock, error) {
	src, _, err := r.sources(choice)
	if err != nil {
		return bundle.Lock{}, err
	}
	at := epoch()
	var old *bundle.Lock
	if !c.Update {
		if old, err = choice.ReadLock(c.Spec, true); err != nil {
			return bundle.Lock{}, err
		}
		if old != nil {
			at = old.Epoch
		}
	}
	lock, err := choice.Lock(r.ctx, old, src, at, r.report.Report)
	if err != nil {
		return bundle.Lock{}, err
	}
	return lock, bundle.WriteLock(assemble.LockPath(c.Spec), lock)
}

// sources opens the cache and the places bytes come from.
func (r *run) sources(choice assemble.Choice) (bundle.Source, *bundle.Store, error) {
	store, err := bundle.OpenStore(r.cache)
	if err != nil {
		return nil, nil, err
	}
	return sources.In(store, choice.Spec.Dir), store, nil
}

// locked is the Lock that belongs to the Spec, made or renewed if allowed.
func locked(r *run, choice assemble.Choice, path string) (bundle.Lock, error) {
	lock, err := choice.ReadLock(path, true)
	if err != nil {
		return bundle.Lock{}, err
	}
	if lock == nil {
		return lockCmd{Spec: path}.make(r, choice)
	}
	return *lock, holds(*lock, choice)
}

// holds refuses a Lock that was made for another Spec, or by a program whose
// profiles want other things.
func holds(lock bundle.Lock, choice assemble.Choice) error {
	if err := lock.For(choice.Spec); err != nil {
		return err
	}
	wants, err := choice.Wants()
	if err != nil {
		return err
	}
	return lock.Covers(wants)
}

type pullCmd struct {
	Spec string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
}

func (c pullCmd) Run(r *run) error {
	choice, err := choose(c.Spec)
	if err != nil {
		return err
	}
	lock, err := choice.ReadLock(c.Spec, false)
	if err != nil {
		return err
	}
	if err := holds(*lock, choice); err != nil {
		return err
	}
	src, store, err := r.sources(choice)
	if err != nil {
		return err
	}
	got, err := bundle.Collect(r.ctx, *lock, src, store, r.report.Report)
	if err != nil {
		return err
	}
	files, bytes := 0, int64(0)
	for _, list := range got {
		for _, a := range list {
			files, bytes = files+1, bytes+a.Size
		}
	}
	return r.print(map[string]any{"files": files, "bytes": bytes, "cache": r.cache},
		fmt.Sprintf("%d files, %s, in %s\n", files, size.Bytes(bytes), r.cache))
}

type buildCmd struct {
	Spec   string `arg:"" type:"path" help:"The Spec (caisson.yaml)."`
	Output string `short:"o" required:"" type:"path" help:"The ISO to write."`
	Force  bool   `help:"Replace the output file if it exists."`

	Answers string `type:"path" help:"Answer file to carry on the ISO: whatever machine boots it installs by itself, if the file holds consent."`

	// For make e2e-standin alone.
	StandIns bool `hidden:"" name:"allow-stand-ins" env:"CAISSON_ALLOW_STAND_INS"`
}

func (c buildCmd) Run(r *run) error {
	if err := mayWrite(c.Output, c.Force); err != nil {
		return err
	}
	choice, err := choose(c.Spec)
	if err != nil {
		return err
	}
	answers, err := c.answers(choice.Spec.Enclave)
	if err != nil {
		return err
	}
	programs, err := ownPrograms()
	if err != nil {
		return err
	}
	lock, err := locked(r, choice, c.Spec)
	if err != nil {
		return err
	}
	src, store, err := r.sources(choice)
	if err != nil {
		return err
	}
	got, err := bundle.Collect(r.ctx, lock, src, store, r.report.Report)
	if err != nil {
		return err
	}
	sealed, err := assemble.Seal(r.ctx, assemble.Input{Choice: choice, Lock: lock, Artifacts: got, Programs: programs, Answers: answers, StandIns: c.StandIns}, store, r.report.Report)
	if err != nil {
		return err
	}
	done, err := sealed.Write(r.ctx, store, c.Output, r.report.Report)
	if err != nil {
		return err
	}
	return r.print(done, fmt.Sprintf("%s: %s, %d files, release %s\nmanifest %s\n",
		c.Output, size.Bytes(done.Size), done.Files, done.Release, done.Manifest))
}

// answers reads the answer file to carry. What it says must fit the Spec now,
// not only on site; a file that names no node leaves that to the roster there.
func (c buildCmd) answers(e spec.Enclave) ([]byte, error) {
	if c.Answers == "" {
		return nil, nil
	}
	raw, a, err := readAnswers(c.Answers)
	if err == nil && (a.Node != "" || a.Name != "") {
		_, err = spec.Complete(e, a)
	}
	return raw, err
}

// mayWrite refuses an output before any work is done for it: one that exists
// already, unless that is wanted, and one that could not be written.
func mayWrite(path string, force bool) error {
	if err := newfile.Check(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return outputExists.New("cannot write %s: a file of that name exists", path).
			Hint("choose another name, or add --force to replace it")
	}
	return nil
}

// ownPrograms finds caisson-node and caisson-pause, which go onto the medium,
// beside the running program: the three are built together.
func ownPrograms() (assemble.Programs, error) {
	self, err := os.Executable()
	if err != nil {
		return assemble.Programs{}, err
	}
	p := assemble.Programs{Node: filepath.Join(filepath.Dir(self), "caisson-node"), Pause: filepath.Join(filepath.Dir(self), "caisson-pause")}
	for _, path := range []string{p.Node, p.Pause} {
		if _, err := os.Stat(path); err != nil {
			return p, programMissing.New("cannot find %s: it must lie beside %s, from the same build", path, self).
				Hint("make build makes all three programs in bin/")
		}
	}
	return p, nil
}
