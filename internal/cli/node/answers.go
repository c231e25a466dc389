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

// find returns complete answers.
func (s search) find() (a spec.Answers, from string, err error) {
	a, from, err = s.first()
	if err != nil {
		return a, from, err
	}
	if a.Node == "" && a.Name == "" {
		n, ok, err := spec.FindNode(s.enclave, s.machine.Identity())
		if err != nil {
			return a, from, err
		}
		if ok {
			a.Node, from = n.Name, from+", for the roster entry that matches this machine"
		}
	}
	line := s.env.Cmdline()
	if v := argument(line, argErase); v != "" {
		a.Confirm.Erase = v
	}
	if v := argument(line, argAfter); v != "" {
		a.After = v
	}
	a, err = spec.Complete(s.enclave, a)
	return a, from, err
}

func (s search) first() (spec.Answers, string, error) {
	var looked []string
	for _, place := range []func() (raw []byte, from string, err error){
		s.flag, s.kernelFile, s.secondMedium, s.bootMedium,
	} {
		raw, from, err := place()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			looked = append(looked, from)
		case err != nil:
			return spec.Answers{}, from, err
		default:
			a, err := spec.ParseAnswers(raw)
			if v := argument(s.env.Cmdline(), argNode); v != "" && err == nil {
				a.Node = v
			}
			return a, from, err
		}
	}
	if v := argument(s.env.Cmdline(), argNode); v != "" {
		return blank(v), "the kernel command line (" + argNode + ")", nil
	}
	looked = append(looked, argNode+"=NAME on the kernel command line")
	n, ok, err := spec.FindNode(s.enclave, s.machine.Identity())
	if err != nil {
		return spec.Answers{}, "the roster", err
	}
	if ok {
		return blank(n.Name), "the roster entry that matches this machine", nil
	}
	looked = append(looked, "a roster entry that matches this machine ("+seen(s.machine)+")")
	f := AnswersNone.New("cannot install with nobody to ask: have no answers, need to know which node this is and that its disk may be erased")
	for _, l := range looked {
		f.Hint("looked for %s: none", l)
	}
	return spec.Answers{}, "", f.
		Hint("make a second small medium with `caisson answers FILE -o answers.iso`, attach it and restart").
		Hint("or add %s=NAME %s=any-blank to the kernel command line in the boot menu", argNode, argErase).
		Hint("or start without answers and go through the screens")
}

func blank(node string) spec.Answers {
	return spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Node: node}
}

func (s search) flag() ([]byte, string, error) {
	if s.file == "" {
		return nil, "--answers FILE", fs.ErrNotExist
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
		return nil, argAnswers + "=... on the kernel command line", fs.ErrNotExist
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fileName + " on a second medium labelled " + label, fs.ErrNotExist
	}
	return b, "the medium labelled " + label, err
}

func (s search) bootMedium() ([]byte, string, error) {
	for _, f := range s.medium.Manifest().Files {
		if f.Path == onMedium {
			b, err := s.verified(onMedium)
			return b, onMedium + " on the boot medium", err
		}
	}
	return nil, onMedium + " on the boot medium", fs.ErrNotExist
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
