package record

import (
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/spec"
)

// AssessmentPath is where a node keeps the last Assessment, beside its Record.
const AssessmentPath = plan.NodeDir + "/record-cis.json"

// Assessment is the part of the evidence that an install cannot have yet: what
// the CIS table found on the node as it runs. It names the Record that it
// belongs to and the benchmark; like the Record it is not signed.
type Assessment struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`             // "Assessment"
	Record     digest.Digest `json:"record,omitempty"` // of the install; empty if the node has none
	Caisson    string        `json:"caisson"`
	Enclave    string        `json:"enclave"`
	Release    string        `json:"release"`
	Node       string        `json:"node"`
	Role       string        `json:"role"`
	Kubernetes string        `json:"kubernetes"`
	Profile    string        `json:"profile"`
	Benchmark  string        `json:"benchmark"`
	At         string        `json:"at"` // RFC 3339, UTC, by the node's own clock
	Checks     []Finding     `json:"checks"`
	Signed     bool          `json:"signed"` // false: this version does not sign
}

// Excepted is the status of a line that the Spec does not hold this node to.
const Excepted = "excepted"

// Finding is one line of the CIS table with its result.
type Finding struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"` // pass, fail, manual, not-applicable, excepted
	Have   string `json:"have,omitempty"`
	Want   string `json:"want,omitempty"`
	Reason string `json:"reason,omitempty"` // excepted: why, from the Spec
	Found  string `json:"found,omitempty"`  // excepted: what the status would be
}

// JSON is the canonical form.
func (a Assessment) JSON() ([]byte, error) { return canon.JSON(a) }

// ParseAssessment reads an Assessment strictly.
func ParseAssessment(b []byte) (Assessment, error) {
	var a Assessment
	if err := canon.Decode(b, &a); err != nil {
		return Assessment{}, Unreadable.New("cannot read the assessment: %w", err)
	}
	if a.Kind != "Assessment" || a.APIVersion != spec.APIVersion {
		return Assessment{}, Unreadable.New("cannot read the assessment: have %q %q, need %q %q", a.APIVersion, a.Kind, spec.APIVersion, "Assessment")
	}
	return a, nil
}
