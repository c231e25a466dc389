package tui

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
)

// A key that was read from a stick is a toggle: its fingerprint behind this word.
const keyWord = "key "

// fingerprintOf is what every fingerprint begins with.
const fingerprintOf = "SHA256:"

// mostKeys is as many as a person looks through.
const mostKeys = 20

// fingerprint is what ssh-keygen -l shows of a line of a public key file.
func fingerprint(key string) string {
	f := strings.Fields(key)
	if len(f) < 2 {
		return ""
	}
	blob, err := base64.StdEncoding.DecodeString(f[1])
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(blob)
	return fingerprintOf + base64.RawStdEncoding.EncodeToString(sum[:])
}

// printable drops what has no place in a text that was typed.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

// offer is the draft with more keys to choose from, each once.
func (d Draft) offer(keys []string) Draft {
	offered := slices.Clone(d.offered)
	for _, key := range keys {
		same := func(o string) bool { return fingerprint(o) == fingerprint(key) }
		if len(offered) < mostKeys && !slices.ContainsFunc(offered, same) {
			offered = append(offered, strings.Map(printable, strings.Join(strings.Fields(key), " ")))
		}
	}
	d.offered = offered
	return d
}

// keys are the key that was typed and those that were chosen.
func (d Draft) keys() []string {
	var out []string
	if key := trimmed(d, FieldKey); key != "" {
		out = append(out, key)
	}
	for _, key := range d.offered {
		print := fingerprint(key)
		if d.get(Field(keyWord+print)) != "" && (len(out) == 0 || fingerprint(out[0]) != print) {
			out = append(out, key)
		}
	}
	return out
}

// keyFields offer the keys that were read, by what their owners know them by.
func (d Draft) keyFields() []field {
	var out []field
	for i, key := range d.offered {
		comment := "no comment"
		if f := strings.SplitN(key, " ", 3); len(f) == 3 {
			comment = f[2]
		}
		const most = 16 // so that the fingerprint is seen whole on a row of 80
		if r := []rune(comment); len(r) > most {
			comment = string(r[:most-3]) + "..."
		}
		print := fingerprint(key)
		out = append(out, field{id: Field(keyWord + print), kind: toggle, group: box(i == 0, "Keys", ""),
			label: pad(comment, most) + " " + strings.TrimPrefix(print, fingerprintOf)})
	}
	return out
}

// keysRead takes what a stick held.
func (w Wizard) keysRead(ev KeysRead) Wizard {
	w = w.waits("keys", false)
	if w.step != usersPage || w.over != nothing {
		return w // the person went on
	}
	if ev.Err != nil {
		return w.ended("", ev.Err)
	}
	w.draft = w.draft.offer(ev.Keys)
	w.focus = max(0, w.page().find(FieldKey)+1)
	return w.settle().ended("Read "+count(len(ev.Keys), "key")+" from "+ev.Where+". Choose whose may log in.", nil)
}
