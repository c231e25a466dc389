// Package record is the evidence of an install: which plan was carried out, from
// which medium, on which machine and disk, with whose consent, when, and what
// each step wrote. It stays on the node as /var/lib/caisson/record.json.
//
// A Record is not signed yet: it says so in its field "signed", and whoever can
// write to the node can change it. It holds no secret and no content of files,
// only digests. It is the last value of the flow. An Assessment, made on the
// node when it runs, adds what the CIS table found.
package record

import (
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/spec"
)

// Path is where a node keeps its Record; PlanPath the plan that it names.
const (
	Path     = plan.NodeDir + "/record.json"
	PlanPath = plan.NodeDir + "/plan.json"
)

// Record is what was done.
type Record struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"` // "Record"
	Caisson    string          `json:"caisson"`
	Plan       digest.Digest   `json:"plan"`     // id of the plan
	Manifest   digest.Digest   `json:"manifest"` // of the medium
	Enclave    string          `json:"enclave"`
	Release    string          `json:"release"`
	Node       string          `json:"node"`
	Role       string          `json:"role"`
	OS         string          `json:"os"`
	Machine    machine.Machine `json:"machine"`
	Disk       plan.Target     `json:"disk"` // as it was before
	Consent    string          `json:"consent"`
	Started    string          `json:"started"` // RFC 3339, UTC, by this machine's own clock
	Written    string          `json:"written"`
	Steps      []Result        `json:"steps"`
	Signed     bool            `json:"signed"` // false: this version does not sign Records
}

// Result is one step that was carried out. The steps after the one that wrote
// the Record are not in it: that the node started is the proof of those.
type Result struct {
	Step    int           `json:"step"` // from 1
	Kind    plan.Kind     `json:"kind"`
	Digest  digest.Digest `json:"digest,omitempty"` // of what was written, where it was one thing
	Files   int           `json:"files,omitempty"`
	Bytes   int64         `json:"bytes,omitempty"`
	Checked bool          `json:"checked,omitempty"` // read back from the device and compared
	Started string        `json:"started"`
	Seconds float64       `json:"seconds"`
}

// New starts the Record of a confirmed plan.
func New(c plan.Confirmed, m machine.Machine, version string, now time.Time) Record {
	p := c.Plan()
	return Record{
		APIVersion: spec.APIVersion, Kind: "Record", Caisson: version,
		Plan: p.ID, Manifest: p.Manifest, Enclave: p.Enclave, Release: p.Release,
		Node: p.Node, Role: p.Role, OS: p.OS, Machine: m, Disk: p.Disk, Consent: c.Erase(),
		Started: Stamp(now),
	}
}

// Stamp is a time as a Record shows it.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// JSON is the canonical form, whose digest is the Record's identity.
func (r Record) JSON() ([]byte, error) { return canon.JSON(r) }

// Parse reads a Record strictly.
func Parse(b []byte) (Record, error) {
	var r Record
	if err := canon.Decode(b, &r); err != nil {
		return Record{}, Unreadable.New("cannot read the record: %w", err)
	}
	if r.Kind != "Record" || r.APIVersion != spec.APIVersion {
		return Record{}, Unreadable.New("cannot read the record: have %q %q, need %q %q", r.APIVersion, r.Kind, spec.APIVersion, "Record")
	}
	return r, nil
}
