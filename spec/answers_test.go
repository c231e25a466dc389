package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
)

const hash = "$5$rounds=10000$saltstringsaltst$3xv.VbSCBX41eDL9L3voZredW2Z2F5LZxh7sLJdlv1B"

func roster() Enclave {
	e := Enclave{
		Metadata: Metadata{Name: "x"}, Kubernetes: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"},
		Registry: Registry{Engine: "distribution", Version: "v3.1.2"},
		Users:    []User{{Name: "op", PasswordHash: hash}, {Name: "audit", PasswordHash: hash}},
		Nodes: []Node{
			{Name: "cp1", Role: ControlPlane, Match: Match{MAC: "52:54:00:00:00:01"}, Disk: Disk{Serial: "S1", MinSize: size.GiB},
				Network: NodeNetwork{Interface: "eno1", Address: "10.1.0.1/24", Gateway: "10.1.0.254"}},
			{Name: "w1", Role: Worker, Match: Match{Serial: "SN2", UUID: "4C4C4544-0042-3510-8052-B4C04F564433"}, Network: NodeNetwork{Address: "10.1.0.2/24"}},
		},
	}
	Default(&e)
	return e
}

func TestAnswersWinOverTheRoster(t *testing.T) {
	n := roster().Nodes[0]
	for _, c := range []struct {
		what string
		a    Answers
		want Answers
	}{
		{"nothing said", Answers{}, Answers{Name: "cp1", Role: ControlPlane, Disk: n.Disk, Network: n.Network}},
		{"another disk replaces the whole selector", Answers{Disk: Disk{ByID: "ata-X"}},
			Answers{Name: "cp1", Role: ControlPlane, Disk: Disk{ByID: "ata-X", MinSize: size.GiB}, Network: n.Network}},
		{"a larger least size keeps the selector", Answers{Disk: Disk{MinSize: 2 * size.GiB}},
			Answers{Name: "cp1", Role: ControlPlane, Disk: Disk{Serial: "S1", MinSize: 2 * size.GiB}, Network: n.Network}},
		{"another address leaves the old gateway", Answers{Network: NodeNetwork{Address: "10.9.0.1/24"}},
			Answers{Name: "cp1", Role: ControlPlane, Disk: n.Disk, Network: NodeNetwork{Interface: "eno1", Address: "10.9.0.1/24"}}},
		{"another gateway keeps the address", Answers{Network: NodeNetwork{Gateway: "10.1.0.253"}},
			Answers{Name: "cp1", Role: ControlPlane, Disk: n.Disk, Network: NodeNetwork{Interface: "eno1", Address: "10.1.0.1/24", Gateway: "10.1.0.253"}}},
		{"name and role", Answers{Name: "n", Role: Worker}, Answers{Name: "n", Role: Worker, Disk: n.Disk, Network: n.Network}},
	} {
		if diff := cmp.Diff(c.want, Merge(n, c.a)); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.what, diff)
		}
	}
}

func TestComplete(t *testing.T) {
	got, err := Complete(roster(), Answers{Node: "w1", Users: []User{{Name: "op", PasswordHash: hash, Admin: true}}})
	if err != nil {
		t.Fatal(err)
	}
	want := Answers{APIVersion: APIVersion, Kind: KindAnswers, Node: "w1", Name: "w1", Role: Worker, Network: NodeNetwork{Address: "10.1.0.2/24"},
		Users: []User{{Name: "audit", PasswordHash: hash}, {Name: "op", PasswordHash: hash, Admin: true}}, After: "reboot"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	again, err := Complete(roster(), got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("twice differs from once\n%s", diff)
	}
}

func TestCompleteRefuses(t *testing.T) {
	for _, c := range []struct {
		what string
		a    Answers
		code fault.Kind
		says string
	}{
		{"a node that is not in the roster", Answers{Node: "w11"}, AnswersNode, "did you mean w1?"},
		{"nothing said", Answers{}, AnswersIncomplete, "role"},
		{"no role", Answers{Name: "n"}, AnswersIncomplete, "role"},
		{"another node's address", Answers{Name: "n", Role: Worker, Network: NodeNetwork{Address: "10.1.0.1/24"}}, AnswersConflict, "network.address"},
		{"another node's name", Answers{Node: "w1", Name: "cp1"}, AnswersConflict, "another roster entry"},
		{"an address among the pods", Answers{Node: "w1", Network: NodeNetwork{Address: "10.42.0.1/24"}}, AnswersConflict, "podCIDR"},
		{"a resolver among the services", Answers{Node: "w1", Network: NodeNetwork{DNS: []string{"10.43.0.10"}}}, AnswersConflict, "network.dns[0]: have 10.43.0.10"},
		{"a VLAN on no card in particular", Answers{Node: "w1", Network: NodeNetwork{VLAN: 5}}, AnswersConflict, "network.vlan"},
		{"no card and no address", Answers{Name: "n", Role: Worker, Network: NodeNetwork{Interface: "none"}}, AnswersConflict, "no DHCP"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := Complete(roster(), c.a)
			if !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v\nwant %s with %q", err, c.code.Code, c.says)
			}
		})
	}
}

func TestParseAnswers(t *testing.T) {
	const head = "apiVersion: caisson.dev/v1alpha1\nkind: Answers\n"
	for _, c := range []struct {
		what, lines string
		code        fault.Kind
		says        string
	}{
		{"nothing said", "", fault.Kind{}, ""},
		{"part of a network", "network: {interface: none}", fault.Kind{}, ""},
		{"a VLAN for the entry's card", "network: {vlan: 5}", fault.Kind{}, ""},
		{"a VLAN without a card", "network: {interface: none, vlan: 5}", AnswersConflict, "network.vlan"},
		{"a VLAN", "network: {vlan: 4095}", AnswersValue, "answers.yaml:3:11: network.vlan: have 4095"},
		{"a time server", "time: {ntp: [10.1.0.123]}", fault.Kind{}, ""},
		{"no time server", "time: {ntp: [\"a b\"]}", AnswersValue, "time.ntp[0]"},
		{"consent", "confirm: {erase: any-blank}", fault.Kind{}, ""},
		{"consent by serial", "disk: {serial: S1}\nconfirm: {erase: \"serial:S1\"}", fault.Kind{}, ""},
		{"consent for another disk", "disk: {serial: S1}\nconfirm: {erase: \"serial:S2\"}", AnswersConflict, "confirm.erase"},
		{"consent for another id", "disk: {byID: a}\nconfirm: {erase: \"by-id:b\"}", AnswersConflict, "confirm.erase"},
		{"empty consent", "confirm: {erase: \"serial:\"}", AnswersValue, "confirm.erase"},
		{"consent as a truth", "confirm: {erase: true}", AnswersValue, "have true or false, need text"},
		{"an unknown field", "disc: {serial: S1}", AnswersField, "answers.yaml:3:1: disc"},
		{"a field twice", "role: worker\nrole: worker", AnswersDuplicate, "role"},
		{"a role", "role: boss", AnswersValue, "control-plane, worker"},
		{"a user of a group's name", "users: [{name: kvm, passwordHash: " + hash + "}]", AnswersValue, "users[0].name: have \"kvm\", an account or group of the system"},
		{"what to do after", "after: restart", AnswersValue, "reboot, poweroff, stay"},
		{"an anchor", "name: &x a", AnswersUnreadable, "anchor"},
		{"another kind", "kind: Enclave", AnswersVersion, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			text := head + c.lines
			if strings.HasPrefix(c.lines, "kind") {
				text = strings.Replace(head, "kind: Answers", c.lines, 1)
			}
			_, err := ParseAnswers([]byte(text))
			if c.code.Code == "" && err != nil || c.code.Code != "" && (!c.code.Is(err) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("have %v\nwant %s with %q", err, c.code.Code, c.says)
			}
		})
	}
}

func TestFindNode(t *testing.T) {
	e := roster()
	for _, c := range []struct {
		what string
		id   Identity
		want string
	}{
		{"by card", Identity{MACs: []string{"aa:bb:cc:00:00:01", "52-54-00-00-00-01"}}, "cp1"},
		{"by serial and UUID", Identity{Serial: "SN2\n", UUID: "4c4c4544-0042-3510-8052-b4c04f564433"}, "w1"},
		{"half a match is none", Identity{Serial: "SN2"}, ""},
		{"a stranger", Identity{Serial: "SN9"}, ""},
		{"nothing known", Identity{}, ""},
	} {
		n, ok, err := FindNode(e, c.id)
		if err != nil || n.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: have %q %v %v, want %q", c.what, n.Name, ok, err, c.want)
		}
	}
	both := Identity{MACs: []string{"52:54:00:00:00:01"}, Serial: "SN2", UUID: "4C4C4544-0042-3510-8052-B4C04F564433"}
	if _, _, err := FindNode(e, both); !AnswersAmbiguous.Is(err) {
		t.Errorf("two that match: have %v", err)
	}
	if _, ok, _ := FindNode(Enclave{Nodes: []Node{{Name: "any"}}}, Identity{}); ok {
		t.Error("an entry without a match was taken")
	}
}

func TestNearest(t *testing.T) {
	list := []string{"address", "gateway", "interface"}
	for in, want := range map[string]string{"adress": "address", "gatway": "gateway", "Interface": "interface", "gatewya": "gateway", "zzz": "", "": ""} {
		if got := Nearest(in, list); got != want {
			t.Errorf("%q: have %q, want %q", in, got, want)
		}
	}
}

func TestNormalizeRef(t *testing.T) {
	for in, want := range map[string]string{
		"nginx": "docker.io/library/nginx:latest", "a/b:1": "docker.io/a/b:1",
		"registry.k8s.io/pause:3.10.2": "registry.k8s.io/pause:3.10.2", "Bad": "",
	} {
		if got, err := NormalizeRef(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: have %s, %v; want %s", in, got, err, want)
		}
	}
}
