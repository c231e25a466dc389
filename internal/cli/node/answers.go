package node

import (
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// Where answers are looked for.
const (
	argAnswers = "caisson.answers" // kernel argument: path on the boot medium, or base64:...
	argNode    = "caisson.node"    // kernel argument: a roster entry's name
	argErase   = "caisson.erase"   // kernel argument: consent, as in confirm.erase
	argAfter   = "caisson.after"   // kernel argument: reboot, poweroff or stay
	argOnError = "caisson.onerror" // kernel argument: poweroff
	label      = "CAISSON"         // of a second small medium
	fileName   = "answers.yaml"    // on it
	onMedium   = bundle.AnswersPath
)

// opener reads files of the verified medium; *bundle.Verified is one.
type opener interface {
	OpenPath(path string) (io.ReadCloser, error)
	Manifest() bundle.Manifest
}

// search looks for answers, each place in turn; the first that has any wins. It
// tells where they came from. What the kernel command line says of consent and
// of the end is laid over them: whoever edits that line stands at the machine.
type search struct {
	env     environment
	file    string // --answers
	medium  opener
	machine machine.Machine
	enclave spec.Enclave
}

// find returns complete answers, for an install with nobody to ask.
func (s search) find() (a spec.Answers, from string, err error) {
	a, from, err = s.given()
	if err != nil {
		return a, from, err
	}
	if a.Node == "" && a.Name == "" {
		n, ok, err := spec.FindNode(s.enclave, s.machine.Identity())
		switch {
		case err != nil:
			return a, from, err
		case ok && from == "":
			a.Node, from = n.Name, "the roster entry that matches this machine"
		case ok:
			a.Node, from = n.Name, from+", for the roster entry that matches this machine"
		case from == "":
			return a, from, s.none()
		}
	}
	a, err = spec.Complete(s.enclave, a)
	return a, from, err
}

// open returns answers that a person completes on the screens. Consent is not
// among them: it is given there.
func (s search) open() (a spec.Answers, from string, err error) {
	a, from, err = s.given()
	a.Confirm = spec.Confirm{}
	if err == nil {
		// What is open or wrong is mended on the screens, but for these.
		_, whole := spec.Complete(s.enclave, a)
		for _, f := range fault.All(whole) {
			if f.Code == spec.AnswersNode.Code || strings.HasPrefix(f.What, "cannot use network.dns") {
				err = errors.Join(err, f)
			}
		}
	}
	if err != nil {
		return spec.Answers{}, from, err
	}
	return a, from, nil
}

// given is what was answered, with the roster left aside; from is "" if nobody
// has answered. With an error it is what could be read all the same.
func (s search) given() (a spec.Answers, from string, err error) {
	for _, place := range []func() (raw []byte, from string, err error){
		s.flag, s.kernelFile, s.secondMedium, s.bootMedium,
	} {
		var raw []byte
		raw, from, err = place()
		if errors.Is(err, fs.ErrNotExist) {
			from, err = "", nil
			continue
		}
		if err == nil {
			a, err = spec.ParseAnswers(raw)
		}
		break
	}
	line := s.env.Cmdline()
	if v := argument(line, argNode); v != "" {
		a.Node = v
		if from == "" {
			from = "the kernel command line (" + argNode + ")"
		}
	}
	if v := argument(line, argErase); v != "" {
		a.Confirm.Erase = v
	}
	if v := argument(line, argAfter); v != "" {
		a.After = v
	}
	return a, from, err
}

// none says where answers were looked for.
func (s search) none() error {
	f := AnswersNone.New("cannot install with nobody to ask: have no answers, need to know which node this is and that its disk may be erased")
	for _, l := range []string{
		"--answers FILE", argAnswers + "=... on the kernel command line", fileName + " on a second medium labelled " + label,
		onMedium + " on the boot medium", argNode + "=NAME on the kernel command line", "a roster entry that matches this machine (" + seen(s.machine) + ")",
	} {
		f.Hint("looked for %s: none", l)
	}
	return f.
		Hint("make a second small medium with `caisson answers FILE -o answers.iso`, attach it and restart").
		Hint("or add %s=NAME %s=any-blank to the kernel command line in the boot menu", argNode, argErase).
		Hint("or start without answers and go through the screens")
}

func (s search) flag() ([]byte, string, error) {
	if s.file == "" {
		return nil, "", fs.ErrNotExist
	}
	b, err := readSmall(s.file)
	if errors.Is(err, os.ErrNotExist) { // named and not there: an error, not a place to skip
		return nil, s.file, spec.AnswersUnreadable.New("cannot read %s: have no such file", s.file)
	}
	return b, s.file, err
}

// kernelFile follows caisson.answers: a path on the boot medium, which the
// manifest must name, or the answers themselves.
func (s search) kernelFile() ([]byte, string, error) {
	v := argument(s.env.Cmdline(), argAnswers)
	from := "the kernel command line (" + argAnswers + ")"
	if v == "" {
		return nil, "", fs.ErrNotExist
	}
	if text, ok := strings.CutPrefix(v, "base64:"); ok {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, from, spec.AnswersUnreadable.New("cannot read %s: %w", argAnswers, err)
		}
		return b, from, nil
	}
	b, err := s.verified(strings.TrimPrefix(v, "/"))
	return b, from, err
}

func (s search) secondMedium() ([]byte, string, error) {
	b, err := s.env.Labelled(label, fileName)
	return b, fileName + " on the medium labelled " + label, err
}

func (s search) bootMedium() ([]byte, string, error) {
	for _, f := range s.medium.Manifest().Files {
		if f.Path == onMedium {
			b, err := s.verified(onMedium)
			return b, onMedium + " on the boot medium", err
		}
	}
	return nil, "", fs.ErrNotExist
}

// unchecked is a medium before its check. That will do to see whether there is
// consent: whatever is acted on is read again from the verified medium.
type unchecked struct{ fs.FS }

func (u unchecked) OpenPath(path string) (io.ReadCloser, error) { return u.Open(path) }

func (u unchecked) Manifest() bundle.Manifest {
	if _, err := fs.Stat(u.FS, onMedium); err != nil {
		return bundle.Manifest{}
	}
	return bundle.Manifest{Files: []bundle.File{{Path: onMedium}}}
}

func (s search) verified(path string) ([]byte, error) {
	r, err := s.medium.OpenPath(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// seen is what a roster entry could match.
func seen(m machine.Machine) string {
	parts := []string{"serial " + quoteEmpty(m.Serial), "uuid " + quoteEmpty(m.UUID)}
	for _, n := range m.NICs {
		parts = append(parts, "mac "+n.MAC)
	}
	return strings.Join(parts, ", ")
}

func quoteEmpty(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
