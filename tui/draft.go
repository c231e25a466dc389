package tui

import (
	"maps"
	"reflect"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// The fields of a Draft.
const (
	FieldRole      Field = "role"      // a role, or an entry of the roster (roster.go)
	FieldDisk      Field = "disk"      // a stable path; "" leaves it to Draft.disk
	FieldInterface Field = "interface" // a kernel name, "none", a bond (link.go), or "" for any card
	FieldBond      Field = "bond"      // how the cards of a bond work together
	FieldTaken     Field = "taken"     // use an address that somebody has
	FieldMode      Field = "mode"      // static or dhcp
	FieldAddress   Field = "address"
	FieldGateway   Field = "gateway"
	FieldVLAN      Field = "vlan"
	FieldMTU       Field = "mtu"
	FieldNTP       Field = "ntp"
	FieldName      Field = "name"
	FieldAfter     Field = "after"
	FieldClock     Field = "clock"
	FieldUser      Field = "user"
	FieldKey       Field = "key"
	FieldLarge     Field = "large"
	FieldTyped     Field = "typed" // the consent; never part of answers
)

// How a node gets its address.
const (
	static = "static"
	dhcp   = "dhcp"
)

// yes is a toggle that is on.
const yes = "yes"

// Draft is what was typed and chosen, as it was typed: nothing is lost on the
// way back, and nothing is judged before Answers. It is a value.
type Draft struct {
	given  spec.Answers // what was answered before any person was asked
	from   string       // where that was found
	node   string       // the roster entry that it is
	role   string       // of that entry
	dns    []string     // of that entry or of what was given; not asked for
	disk   spec.Disk    // likewise; counts while no disk is chosen
	values map[Field]string

	offered []string // public keys of a stick, to choose from
}

// get is a field's text.
func (d Draft) get(f Field) string { return d.values[f] }

// with is the draft with one field changed.
func (d Draft) with(f Field, value string) Draft {
	v := maps.Clone(d.values)
	if v == nil {
		v = map[Field]string{}
	}
	v[f] = value
	d.values = v
	return d
}

// Answers are what the draft says, complete, with everything that is wrong by
// the field that is to be mended; "" holds what belongs to no field. Answers
// are good only if there is no such entry.
func (d Draft) Answers(f Facts) (spec.Answers, map[Field][]error) {
	wrong := map[Field][]error{}
	missing := func(at Field, what, need string) {
		wrong[at] = append(wrong[at], spec.AnswersIncomplete.New("cannot use %s: have nothing, need %s", what, need))
	}
	a := spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Node: d.node,
		Name: trimmed(d, FieldName), Role: d.roleOf(), Users: d.users(), After: trimmed(d, FieldAfter)}
	network, unread := d.network()
	a.Network, a.Time.NTP = network, words(trimmed(d, FieldNTP))
	for f, err := range unread {
		wrong[f] = append(wrong[f], err)
	}
	if d.get(FieldMode) == static && a.Network.Address == "" {
		missing(FieldAddress, "network.address", "an address with the length of its network, as in 10.20.0.11/24")
	}
	if a.Name == "" {
		missing(FieldName, "name", "the node's name, as in node1")
	}
	switch disk, ok := d.chosen(f.Machine); {
	case ok:
		var err error
		if a.Disk, err = name(disk, f.Machine); err != nil {
			wrong[FieldDisk] = append(wrong[FieldDisk], err)
		}
	case d.get(FieldDisk) == "" && (d.node != "" || d.disk != (spec.Disk{})):
		a.Disk = d.disk
	default:
		missing(FieldDisk, "disk", "the disk to install to")
	}
	if why := f.Refused[d.get(FieldDisk)]; why != "" {
		wrong[FieldDisk] = append(wrong[FieldDisk], spec.AnswersValue.New("cannot use disk: have %s, need another disk: %s", d.get(FieldDisk), why))
	}
	if a.Role != "" && !f.offers(a.Role) {
		wrong[FieldRole] = append(wrong[FieldRole], spec.AnswersValue.New("cannot use role: have %q, need one that this medium offers", a.Role))
	}
	if err := f.Places[a.Role].Err; err != nil && d.node == "" && !f.names(a.Name) {
		wrong[FieldRole] = append(wrong[FieldRole], err)
	}
	whole, err := spec.Complete(f.Enclave, a)
	if !reflect.DeepEqual(whole.Network, a.Network) && a.Node != "" {
		// The entry has what the person took away: the answers stand alone then.
		a.Node = ""
		whole, err = spec.Complete(f.Enclave, a)
	}
	for _, one := range fault.All(err) {
		at := fieldOf(one)
		if d.get(FieldMode) == dhcp && (at == FieldAddress || at == FieldGateway) {
			at = FieldMode // the others are not asked for
		}
		if (at == FieldAddress || at == FieldName) && len(wrong[at]) > 0 {
			continue // it was said
		}
		wrong[at] = append(wrong[at], one)
	}
	return whole, wrong
}

func trimmed(d Draft, f Field) string { return strings.TrimSpace(d.get(f)) }

// chosen finds the disk that was chosen.
func (d Draft) chosen(m machine.Machine) (machine.Disk, bool) {
	for _, disk := range m.Disks {
		if path := d.get(FieldDisk); path != "" && disk.StablePath() == path {
			return disk, true
		}
	}
	return machine.Disk{}, false
}

// name is the selector that means this disk and no other.
func name(d machine.Disk, m machine.Machine) (spec.Disk, error) {
	same := 0
	for _, other := range m.Disks {
		if other.Serial == d.Serial {
			same++
		}
	}
	switch {
	case d.Serial != "" && same == 1:
		return spec.Disk{Serial: d.Serial}, nil
	case len(d.IDs) > 0:
		return spec.Disk{ByID: strings.TrimPrefix(d.StablePath(), "/dev/disk/by-id/")}, nil
	case len(m.Disks) == 1:
		return spec.Disk{}, nil // the only disk
	}
	return spec.Disk{}, spec.AnswersValue.New("cannot use disk: have %s, which has no serial number and no by-id name, need a disk that can be told from the others", d.Name)
}

// fieldOf finds the field that a fault of package spec speaks of: its text
// begins with "cannot use PATH:".
func fieldOf(f *fault.Fault) Field {
	rest, _ := strings.CutPrefix(f.What, "cannot use ")
	path, _, _ := strings.Cut(rest, ": ")
	switch {
	case path == "name" || path == "node":
		return FieldName
	case path == "role":
		return FieldRole
	case path == "after":
		return FieldAfter
	case path == "network.address":
		return FieldAddress
	case path == "network.gateway":
		return FieldGateway
	case path == "network.vlan":
		return FieldVLAN
	case path == "network.mtu":
		return FieldMTU
	case path == "network.interface" || strings.HasPrefix(path, "network.bond") || strings.HasPrefix(path, "network.dns"):
		return FieldInterface
	case strings.HasPrefix(path, "time.ntp"):
		return FieldNTP
	case path == "disk" || strings.HasPrefix(path, "disk."):
		return FieldDisk
	case strings.HasPrefix(path, "users[") && strings.HasSuffix(path, "].name"):
		return FieldUser
	case strings.HasPrefix(path, "users[") && strings.Contains(path, "].sshKeys["):
		return FieldKey
	case strings.HasPrefix(path, "users["): // neither a key nor a password: the last of the two that is asked for
		return FieldPassword
	}
	return ""
}
