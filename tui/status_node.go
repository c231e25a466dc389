package tui

import (
	"fmt"
	"strings"
	"time"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// NodeState is what an installed node is, at one look. What is not known is empty.
type NodeState struct {
	Enclave, Node, Role  string
	Classification       spec.Classification
	Damaged              error  // what the installer left cannot be read
	Waits                string // "waiting for ...", or why it will not be Ready; "" if it is
	Addresses            []string
	Kubernetes, Kubelet  string // version; systemd's word for the unit
	Cluster              string // what it says of this node, in words
	Member               bool   // it calls the node Ready
	Unit                 string // that runs Kubernetes, without .service
	Registry             string // engine and address, in words
	Serves               bool   // the registry answers
	Certificate          string // the one that ends soonest
	Until                time.Time
	CertificateErr       error
	VarUsed, VarFree     size.Bytes // of the file system on /var
	Synchronised, Server bool       // the clock; a time server is named
	OS, Slot, Release    string
	Installed            time.Time
	Record               string // its digest
	RecordErr            error
	Admins               []string // administrators who have a password
	Shell                bool     // the Spec allows a root shell
	Network              Wiring
}

// From when on a thing is doubtful, and from when on it is bad. The kubelet
// clears images away at 85 % and pods at 90 %.
const (
	daysWarn, daysBad = 30, 7
	fullWarn, fullBad = 80, 90
)

// reading is a line of the state: mark, name, value.
func reading(r Role, name, value string) line {
	if value == "" {
		r, value = Warn, "not known"
	}
	look := r
	if r == OK {
		look = Plain
	}
	m := marks[r]
	return line{spans: []Span{{m, r}, {pad(name, column), Dim}, {value, look}}, hang: len(m) + column}
}

// judged is OK or the other role.
func judged(good bool, otherwise Role) Role {
	if good {
		return OK
	}
	return otherwise
}

// lines are the node as a person reads it.
func (n NodeState) lines(now time.Time) []line {
	if n.Damaged != nil {
		return faultLines(n.Damaged)
	}
	state := "Ready"
	if n.Waits != "" {
		state = "not Ready: " + n.Waits
	}
	return []line{
		reading(judged(n.Waits == "", Bad), "State", state),
		reading(OK, "Role", n.Role),
		reading(OK, "Addresses", strings.Join(n.Addresses, ", ")),
		reading(judged(n.Kubelet == "active", Bad), "Kubernetes", strings.TrimSpace(n.Kubernetes+", "+n.Unit+" "+n.Kubelet)),
		reading(judged(n.Member, Bad), "Cluster", n.Cluster),
		reading(judged(n.Serves, Bad), "Registry", n.Registry),
		n.certificate(now),
		n.space(),
		n.clock(now),
		reading(OK, "Node OS", n.osText()),
		reading(OK, "Installed", n.installed()),
		reading(OK, "Last update", "none since the install"), // no medium brings one in this version
		n.record(),
	}
}

func (n NodeState) osText() string {
	if n.OS == "" || n.Slot == "" {
		return n.OS
	}
	return n.OS + ", slot " + strings.ToUpper(n.Slot)
}

// installed is the release and when it came; without a date the Record's line says why.
func (n NodeState) installed() string {
	if n.Installed.IsZero() {
		return n.Release
	}
	return n.Release + ", " + stamp(n.Installed) + " UTC"
}

func (n NodeState) certificate(now time.Time) line {
	const name = "Certificates"
	switch {
	case n.CertificateErr != nil:
		return reading(Bad, name, n.CertificateErr.Error())
	case n.Certificate == "":
		return reading(Warn, name, "none yet")
	}
	days := int(n.Until.Sub(now) / (24 * time.Hour))
	date := n.Until.UTC().Format(time.DateOnly)
	about := n.Certificate + ", until " + date
	switch {
	case !n.Until.After(now):
		return reading(Bad, name, n.Certificate+" expired on "+date)
	case days < daysBad:
		return reading(Bad, name, count(days, "day")+" left: "+about)
	case days < daysWarn:
		return reading(Warn, name, count(days, "day")+" left: "+about)
	}
	return reading(OK, name, count(days, "day")+" left: "+about)
}

func (n NodeState) space() line {
	all := n.VarUsed + n.VarFree
	if all <= 0 {
		return reading(Warn, "Disk", "")
	}
	full := int(float64(n.VarUsed) / float64(all) * 100)
	r := OK
	switch {
	case full >= fullBad:
		r = Bad
	case full >= fullWarn:
		r = Warn
	}
	return reading(r, "Disk", fmt.Sprintf("/var is %d %% full, %s free of %s", full, n.VarFree, all))
}

func (n NodeState) clock(now time.Time) line {
	text := now.UTC().Format("2006-01-02 15:04:05") + " UTC, "
	switch {
	case now.Before(n.Installed):
		return reading(Bad, "Clock", text+"before the install: it is wrong")
	case n.Synchronised:
		return reading(OK, "Clock", text+"synchronised")
	case n.Server:
		return reading(Warn, "Clock", text+"not synchronised")
	}
	return reading(Warn, "Clock", text+"not synchronised: no time server is named")
}

func (n NodeState) record() line {
	if n.RecordErr != nil {
		return reading(Bad, "Record", n.RecordErr.Error())
	}
	return reading(OK, "Record", when(n.Record != "", grouped(n.Record)))
}
