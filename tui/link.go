package tui

import (
	"strconv"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/spec"
)

// A bond is written in a Draft as its cards behind this word, then its mode.
const (
	bondWord = "bond "
	bondMode = " by "
)

// linkText is what a network is on, as a Draft holds it.
func linkText(n spec.NodeNetwork) string {
	if len(n.Bond.Interfaces) == 0 {
		return n.Interface
	}
	text := bondWord + strings.Join(n.Bond.Interfaces, ",")
	if n.Bond.Mode != "" {
		text += bondMode + n.Bond.Mode
	}
	return text
}

// network is the addressing as typed; unread holds what is not even a number.
func (d Draft) network() (n spec.NodeNetwork, unread map[Field]error) {
	unread = map[Field]error{}
	link := trimmed(d, FieldInterface)
	if bond, ok := strings.CutPrefix(link, bondWord); ok {
		cards, mode, _ := strings.Cut(bond, bondMode)
		n.Bond = spec.Bond{Interfaces: strings.Split(cards, ","), Mode: mode}
	} else {
		n.Interface = link
	}
	if d.get(FieldMode) == static {
		n.Address, n.Gateway = trimmed(d, FieldAddress), trimmed(d, FieldGateway)
	}
	if link == spec.NoInterface {
		return n, unread // what only a card can have is not asked for
	}
	n.DNS = d.dns
	read := func(f Field, path, need string) int {
		text := trimmed(d, f)
		i, err := strconv.Atoi(text)
		if text != "" && (err != nil || i == 0) {
			unread[f] = spec.AnswersValue.New("cannot use %s: have %q, need %s", path, text, need)
		}
		return i
	}
	n.VLAN = read(FieldVLAN, "network.vlan", "a number from 1 to 4094, or nothing")
	n.MTU = read(FieldMTU, "network.mtu", "a number from 576 to 9216, or nothing")
	return n, unread
}

// bonds are the bonds that a person can choose: of the cards that have a link,
// else of all, if there are two or more.
func bonds(nics []machine.NIC) []option {
	var all, linked []string
	for _, n := range nics {
		all = append(all, n.Name)
		if n.Link {
			linked = append(linked, n.Name)
		}
	}
	if len(linked) >= 2 {
		all = linked
	}
	if len(all) < 2 {
		return nil
	}
	value := bondWord + strings.Join(all, ",")
	return []option{{value: value, label: pad("bond", 11) + strings.Join(all, ", ") + ": one in use, the others in reserve"}}
}

// words takes a list apart that was typed with spaces or commas.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
