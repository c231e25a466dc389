package spec

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
)

// The kinds of document that people write.
const (
	KindEnclave = "Enclave"
	KindAnswers = "Answers"
)

// Load reads the Spec in the file at path. The error joins one fault for each
// thing wrong, each with its line, its column and its path in the YAML.
func Load(path string) (Loaded, error) {
	raw, err := read(path, Unreadable)
	if err != nil {
		return Loaded{}, err
	}
	return parseEnclave(raw, filepath.Base(path), filepath.Dir(path))
}

// Parse is Load for bytes at hand; dir is the folder that the relative paths in
// the Spec start from. It reads no other file: CheckFiles looks at those.
func Parse(raw []byte, dir string) (Loaded, error) {
	return parseEnclave(raw, "caisson.yaml", dir)
}

// LoadAnswers reads the answer file at path.
func LoadAnswers(path string) (Answers, error) {
	raw, err := read(path, AnswersUnreadable)
	if err != nil {
		return Answers{}, err
	}
	return parseAnswers(raw, filepath.Base(path))
}

// ParseAnswers is LoadAnswers for bytes at hand. Answers may be partial: a
// roster entry, a person, or Complete adds what they leave open. Next to an error
// stands what could be read all the same: good for nothing but to see whether
// faulty answers were meant for nobody present.
func ParseAnswers(raw []byte) (Answers, error) { return parseAnswers(raw, "answers.yaml") }

func parseEnclave(raw []byte, name, dir string) (Loaded, error) {
	var e Enclave
	p := &problems{codes: enclaveCodes}
	where, ok := decode(p, raw, KindEnclave, &e)
	if ok {
		Default(&e)
		p.settled = len(p.list)
		p.enclave(e)
	}
	if err := p.join(name, where); err != nil {
		return Loaded{}, err
	}
	return Loaded{Enclave: e, Digest: digest.Of(raw), Raw: raw, Dir: dir, file: name, where: where}, nil
}

func parseAnswers(raw []byte, name string) (Answers, error) {
	var a Answers
	p := &problems{codes: answersCodes}
	where, ok := decode(p, raw, KindAnswers, &a)
	if ok {
		p.settled = len(p.list)
		p.answers(a, false)
	}
	return a, p.join(name, where)
}

// Refuse is a fault of one field, with the words and the place that Load's own
// faults have: for what only other packages can check. path is as in
// "images[0].ref".
func (l Loaded) Refuse(kind fault.Kind, path, have, need string) *fault.Fault {
	return problem{kind: kind, path: path, have: have, need: need}.fault(l.file, l.where)
}

// decode fills into from raw. ok says that the document is one whose fields are
// worth checking: it parsed, and it is of the right version and kind.
func decode(p *problems, raw []byte, kind string, into any) (where map[string]position, ok bool) {
	where = map[string]position{}
	node := p.document(raw, where)
	if node == nil {
		return where, false
	}
	where[""] = position{1, 1}
	if _, ok := node.(ast.MapNode); !ok {
		p.add(p.typ, "", "no map of fields at the top", "one that begins with apiVersion: "+APIVersion, "")
		return where, false
	}
	header := struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
	}{}
	d := decoder{problems: &problems{codes: p.codes}, where: map[string]position{}}
	d.value(node, reflect.ValueOf(&header).Elem(), "")
	if !p.header(header.APIVersion, header.Kind, kind) {
		for path, at := range d.where {
			where[path] = at
		}
		return where, false
	}
	d = decoder{problems: p, where: where}
	d.value(node, reflect.ValueOf(into).Elem(), "")
	return where, true
}

// header checks version and kind before anything else: in a file of another
// version every other message would mislead.
func (p *problems) header(version, kind, wantKind string) bool {
	if version != APIVersion {
		p.add(p.version, "apiVersion", quoted(version), strconv.Quote(APIVersion), "use the version of Caisson that this file was written for, or bring the file up to date")
	}
	if kind != wantKind {
		hint := ""
		if kind == KindEnclave || kind == KindAnswers {
			hint = "this file is a " + kind + ": was the wrong file named?"
		}
		p.add(p.version, "kind", quoted(kind), strconv.Quote(wantKind), hint)
	}
	return version == APIVersion && kind == wantKind
}

// read reads a file of a person, and no more of it than MaxSize and one byte.
func read(path string, kind fault.Kind) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, kind, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, unreadable(path, kind, err)
	}
	return raw, nil
}

func unreadable(path string, kind fault.Kind, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	f := kind.New("cannot read %s: have %w, need a YAML file", path, err)
	if errors.Is(err, fs.ErrNotExist) {
		f.Hint("name the file, or change to the folder that holds it")
	}
	return f
}
