package spec

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/judge"
)

// TestValueIsRefused adds lines to the least Spec; each has one mistake.
func TestValueIsRefused(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzj2RZ8fZIo2m3jiQO5qxYt8A78LrTWm4sFfoU58Xc2"
	hash := "$6$saltsalt$" + strings.Repeat("a", 86)
	digest := "sha256:" + strings.Repeat("0", 64)
	node := func(more string) string { return "nodes: [{name: a, role: worker, " + more + "}]" }
	nodes := func(one, two string) string {
		return "nodes: [{name: a, role: control-plane, " + one + "}, {name: b, role: worker, " + two + "}]"
	}
	for _, c := range []struct {
		what, lines string
		code        fault.Kind
		says        string
	}{
		{"a colour", "classification: {label: X, colour: pink}", BadValue, "classification.colour"},
		{"a colour alone", "classification: {colour: red}", Conflict, "label"},
		{"a banner too long", "classification: {label: " + strings.Repeat("x", 61) + "}", BadValue, "have 61 characters, need at most 60"},
		{"another base", "os: {base: debian-14}", BadValue, "did you mean debian-13?"},
		{"a mirror", "os: {mirror: deb.debian.org}", BadValue, "os.mirror"},
		{"a mirror with a password", "os: {mirror: \"https://u:pw@m/debian\"}", BadValue, "user name or password"},
		{"a snapshot time", "os: {snapshot: 2026-11-01, mirror: \"http://m/x\", security: none}", BadValue, "yyyymmddThhmmssZ"},
		{"a snapshot of a mirror", "os: {snapshot: 20261101T000000Z, security: none}", Conflict, "os.mirror that names"},
		{"a snapshot of a mirror by https", "os: {snapshot: 20261101T000000Z, mirror: \"https://deb.debian.org/debian/\", security: none}", Conflict, "os.mirror that names"},
		{"a snapshot of the security archive", "os: {snapshot: 20261101T000000Z, mirror: \"http://m/x\"}", Conflict, "os.security that names"},
		{"a serial port", "os: {serial: \"COM1,9600\"}", BadValue, "a port from ttyS0 to ttyS3"},
		{"a serial port alone", "os: {serial: ttyS1}", BadValue, "have \"ttyS1\""},
		{"a serial speed", "os: {serial: \"ttyS0,9601\"}", BadValue, "9600, 19200"},
		{"a serial line with more", "os: {serial: \"ttyS0,9600 init=/bin/sh\"}", BadValue, "os.serial"},
		{"a package", "os: {packages: [\"vim=9\"]}", BadValue, "os.packages[0]"},
		{"a package of another machine", "os: {packages: [\"vim:arm64\"]}", BadValue, "os.packages[0]"},
		{"a package twice", "os: {packages: [vim, vim]}", Conflict, "os.packages[1]"},
		{"an image without a tag", "images: [{ref: nginx}]", BadValue, "a tag, as in docker.io/library/nginx:1.2.3"},
		{"an image with a digest", "images: [{ref: \"a/b@" + digest + "\"}]", BadValue, "the field digest"},
		{"an image on a port", "images: [{ref: \"localhost:5000/b:1\"}]", BadValue, "without a port"},
		{"a bad reference", "images: [{ref: \"A B\"}]", BadValue, "an image reference such as"},
		{"an image twice", "images: [{ref: \"busybox:1\"}, {ref: \"docker.io/library/busybox:1\"}]", Conflict, "images[0] is already"},
		{"two sources", "images: [{ref: \"a/b:1\", layout: x, archive: y}]", Conflict, "layout and archive"},
		{"a digest", "images: [{ref: \"a/b:1\", digest: abc}]", BadValue, "images[0].digest"},
		{"a digest of a module", "images: [{ref: \"a/b:1\", digest: \"" + digest + "\", module: {path: example.com/x, version: v1.0.0}}]", Conflict, "compiled here"},
		{"a module path", "images: [{ref: \"a/b:1\", module: {path: x, version: v1.0.0}}]", BadValue, "module.path"},
		{"a module version", "images: [{ref: \"a/b:1\", module: {path: example.com/x/v2, version: v1.0.0}}]", BadValue, "module.version"},
		{"a package elsewhere", "images: [{ref: \"a/b:1\", module: {path: example.com/x, version: v1.0.0, package: example.com/y}}]", BadValue, "module.package"},
		{"a manifest elsewhere", "manifests: [../x.yaml]", BadValue, "manifests[0]"},
		{"a manifest of a kind", "manifests: [x.txt]", BadValue, ".yaml or .yml"},
		{"a manifest twice", "manifests: [x.yaml, ./x.yaml]", Conflict, "manifests[1]"},
		{"a node's name", "nodes: [{name: A_1, role: worker}]", BadValue, "for example a-1"},
		{"two nodes of a name", "nodes: [{name: a, role: worker}, {name: a, role: worker}]", Conflict, "nodes[0] has already"},
		{"two nodes of an address", nodes("network: {address: 10.1.0.1/24}", "network: {address: 10.1.0.1/24}"), Conflict, "nodes[1].network.address"},
		{"two nodes of a card", nodes(`match: {mac: "52:54:00:AA:00:01"}`, `match: {mac: 52-54-00-aa-00-01}`), Conflict, "nodes[1].match.mac"},
		{"two nodes of a serial", nodes("match: {serial: S1}", "match: {serial: S1}"), Conflict, "nodes[1].match.serial"},
		{"a placeholder serial", node("match: {serial: To Be Filled By O.E.M.}"), BadValue, "placeholder"},
		{"a placeholder UUID", node("match: {uuid: 00000000-0000-0000-0000-000000000000}"), BadValue, "placeholder"},
		{"a UUID", node("match: {uuid: \"1\"}"), BadValue, "nodes[0].match.uuid"},
		{"a multicast card", node(`match: {mac: "01:00:5e:00:00:01"}`), BadValue, "nodes[0].match.mac"},
		{"a kernel disk", node("disk: {byID: /dev/sda}"), BadValue, "another disk at the next start"},
		{"a disk's folder", node("disk: {byID: /dev/disk/by-id/ata-X}"), BadValue, "write ata-X"},
		{"a partition", node("disk: {byID: ata-X-part1}"), BadValue, "a whole disk"},
		{"two disk choices", node("disk: {serial: a, choose: largest}"), Conflict, "serial and choose"},
		{"a disk choice", node("disk: {choose: first}"), BadValue, "smallest, largest"},
		{"a card's name", node("network: {interface: a/b}"), BadValue, "network.interface"},
		{"no card, no address", node("network: {interface: none}"), Conflict, "no network card means no DHCP"},
		{"no card, a gateway", node("network: {interface: none, address: 10.1.0.2/24, gateway: 10.1.0.1}"), Conflict, "network.gateway"},
		{"a gateway alone", node("network: {gateway: 10.1.0.1}"), Conflict, "network.gateway"},
		{"a gateway elsewhere", node("network: {address: 10.1.0.2/24, gateway: 10.2.0.1}"), Conflict, "10.1.0.0/24"},
		{"a gateway that is the node", node("network: {address: 10.1.0.2/24, gateway: 10.1.0.2}"), Conflict, "own address"},
		{"a gateway that is the network", node("network: {address: 10.1.0.2/24, gateway: 10.1.0.0}"), Conflict, "first or last address"},
		{"a gateway that is everybody", node("network: {address: 10.1.0.2/24, gateway: 10.1.0.255}"), Conflict, "first or last address"},
		{"an address without a length", node("network: {address: 10.1.0.2}"), BadValue, "did you mean 10.1.0.2/24?"},
		{"a network's name", node("network: {address: 10.1.0.0/24}"), BadValue, "network itself"},
		{"a broadcast address", node("network: {address: 10.1.0.255/24}"), BadValue, "broadcast"},
		{"a loopback address", node("network: {address: 127.0.0.1/8}"), BadValue, "unicast"},
		{"a node among the pods", node("network: {address: 10.42.0.2/24}"), Conflict, "network.podCIDR"},
		{"a node among the services", node("network: {address: 10.43.0.2/24}"), Conflict, "network.serviceCIDR"},
		{"pods among services", "network: {podCIDR: 10.43.128.0/17}", Conflict, "network.serviceCIDR"},
		{"a small pod range", "network: {podCIDR: 10.42.0.0/25}", BadValue, "/24 or larger"},
		{"too few pod ranges", nodes("disk: {}", "disk: {}") + "\nnetwork: {podCIDR: 10.42.0.0/24}", Conflict, "room for 1 nodes"},
		{"a large service range", "network: {serviceCIDR: 11.0.0.0/8}", BadValue, "between /12 and /28"},
		{"IPv6", "network: {podCIDR: \"fd00::/64\"}", BadValue, "IPv4"},
		{"a resolver by name", "network: {dns: [ns1]}", BadValue, "network.dns[0]"},
		{"a resolver among services", "network: {dns: [10.43.0.10]}", Conflict, "outside network.serviceCIDR"},
		{"secrets that are open", "secrets: {sealed: ca.key}", BadValue, "secrets.sealed: have \"ca.key\", need the name of a file that ends in .age"},
		{"secrets without a name", "secrets: {sealed: .age}", BadValue, "secrets.sealed"},
		{"a time server", "time: {ntp: [\"a b\"]}", BadValue, "time.ntp[0]"},
		{"a time server twice", "time: {ntp: [a, a]}", Conflict, "time.ntp[1]"},
		{"a user's name", "users: [{name: Op, passwordHash: " + hash + "}]", BadValue, "users[0].name"},
		{"root", "users: [{name: root, passwordHash: " + hash + "}]", BadValue, "account or group of the system"},
		{"a group", "users: [{name: sudo, passwordHash: " + hash + "}]", BadValue, "account or group of the system"},
		{"a service", "users: [{name: systemd-network, passwordHash: " + hash + "}]", BadValue, "account or group of the system"},
		{"a user who cannot log in", "users: [{name: op}]", Missing, "never log in"},
		{"a password", "users: [{name: op, passwordHash: hunter2}]", BadValue, "text of 7 characters"},
		{"an MD5 hash", "users: [{name: op, passwordHash: $1$salt$1234567890123456789012}]", BadValue, "passwordHash"},
		{"a key of a wrong type", "users: [{name: op, sshKeys: [\"" + strings.Replace(key, "ed25519", "rsa", 1) + "\"]}]", BadValue, "another type"},
		{"half a key", "users: [{name: op, sshKeys: [\"" + key[:60] + "\"]}]", BadValue, "sshKeys[0]"},
		{"a private key", "users: [{name: op, sshKeys: [\"-----BEGIN OPENSSH PRIVATE KEY-----\"]}]", BadValue, "a private key"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := Parse([]byte(least+c.lines+"\n"), "")
			if err == nil || !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v\nwant %s with %q", err, c.code.Code, c.says)
			}
			if n := len(fault.All(err)); n != 1 {
				t.Errorf("have %d faults for one mistake: %v", n, err)
			}
		})
	}
}

func TestKubernetesAndRegistry(t *testing.T) {
	zot := Registry{Engine: "zot", Binary: &FileSource{Path: "zot"}}
	sum := strings.Repeat("a", 64)
	for _, c := range []struct {
		what string
		k    Kubernetes
		r    Registry
		code fault.Kind // zero: accepted
	}{
		{what: "today's", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2", Source: "modules"}, r: zot},
		{what: "the oldest", k: Kubernetes{Profile: "kubeadm", Version: "v1.31.0", Source: "modules"}, r: zot},
		{what: "older", k: Kubernetes{Profile: "kubeadm", Version: "v1.30.9", Source: "modules"}, r: zot, code: Unsupported},
		{what: "no patch level", k: Kubernetes{Profile: "kubeadm", Version: "v1.37", Source: "modules"}, r: zot, code: BadValue},
		{what: "a pre-release", k: Kubernetes{Profile: "kubeadm", Version: "v1.38.0-rc.1", Source: "modules"}, r: zot, code: BadValue},
		{what: "no such profile", k: Kubernetes{Profile: "kubeadmin", Version: "v1.37.2"}, r: zot, code: BadValue},
		{what: "no such source", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2", Source: "git"}, r: zot, code: BadValue},
		{what: "zot by URL", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{URL: "https://x/zot", SHA256: sum}}},
		{what: "zot by URL, unchecked", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{URL: "https://x/zot"}}, code: Missing},
		{what: "zot by URL and checksum file", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{URL: "https://x/zot", Checksum: "https://x/sums"}}},
		{what: "zot by URL, sum and checksum file", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{URL: "https://x/zot", SHA256: sum, Checksum: "sums.txt"}}},
		{what: "zot by path and checksum file", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{Path: "zot", Checksum: "sums.txt"}}},
		{what: "zot by checksum file alone", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{Checksum: "sums.txt"}}, code: Missing},
		{what: "a checksum file by ftp", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{Path: "z", Checksum: "ftp://x/sums"}}, code: BadValue},
		{what: "zot from nowhere", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot"}, code: Missing},
		{what: "zot from an empty source", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{}}, code: Missing},
		{what: "zot from two", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{URL: "https://x/z", Path: "z", SHA256: sum}}, code: Conflict},
		{what: "a bad sum", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "zot", Binary: &FileSource{Path: "z", SHA256: "sha256:" + sum}}, code: BadValue},
		{what: "distribution, no version", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "distribution"}, code: Missing},
		{what: "distribution, a binary", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "distribution", Version: "v3.1.2", Binary: &FileSource{Path: "x"}}, code: Conflict},
		{what: "another engine", k: Kubernetes{Profile: "kubeadm", Version: "v1.37.2"}, r: Registry{Engine: "harbor"}, code: BadValue},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := Enclave{Metadata: Metadata{Name: "x"}, Kubernetes: c.k, Registry: c.r}
			Default(&e)
			err := Validate(e)
			if c.code.Code == "" && err != nil || c.code.Code != "" && (!c.code.Is(err) || len(fault.All(err)) != 1) {
				t.Errorf("have %v, want %q", err, c.code.Code)
			}
		})
	}
}

// TestHashesOfRealTools takes hashes from the tools that people use.
func TestHashesOfRealTools(t *testing.T) {
	for _, hash := range []string{
		"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",    // crypt(5), yescrypt
		"$2b$05$abcdefghijklmnopqrstuuG6tQ0rFzyEXbXpkdkMBXfL0jI2r2xN6",                 // bcrypt
		"$5$rounds=10000$saltstringsaltst$3xv.VbSCBX41eDL9L3voZredW2Z2F5LZxh7sLJdlv1B", // SHA-256
	} {
		if !strongHash(hash) {
			t.Errorf("refused: %s", hash)
		}
	}
	judge.Need(t, "openssl", "openssl")
	for _, method := range []string{"-5", "-6"} {
		out, err := exec.Command("openssl", "passwd", method, "secret").Output()
		if err != nil || !strongHash(strings.TrimSpace(string(out))) {
			t.Errorf("openssl passwd %s gives %s, refused (%v)", method, out, err)
		}
	}
}

// TestKeysOfSSHKeygen takes keys from ssh-keygen itself.
func TestKeysOfSSHKeygen(t *testing.T) {
	judge.Need(t, "ssh-keygen", "openssh-client")
	for i, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-t", "ed25519"}, ""}, {[]string{"-t", "ecdsa", "-b", "384"}, ""}, {[]string{"-t", "rsa", "-b", "2048"}, ""},
		{[]string{"-t", "rsa", "-b", "1024"}, "less than 2048 bits"},
	} {
		path := fmt.Sprintf("%s/key%d", t.TempDir(), i)
		if out, err := exec.Command("ssh-keygen", append(c.args, "-q", "-N", "", "-f", path)...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v: %s", c.args, err, out)
		}
		raw, err := exec.Command("ssh-keygen", "-y", "-f", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		if why := KeyProblem(strings.TrimSpace(string(raw))); (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%v: %q, want %q", c.args, why, c.says)
		}
	}
}

func TestBannerColours(t *testing.T) {
	for label, want := range map[string]string{"UNCLASSIFIED//FOUO": "green", "Confidential": "blue", "SECRET": "red",
		"TOP SECRET": "orange", "TOP SECRET//SCI": "yellow", "AMBER": ""} {
		e := Enclave{Classification: Classification{Label: label}}
		if Default(&e); e.Classification.Colour != want {
			t.Errorf("%s is %q, want %q", label, e.Classification.Colour, want)
		}
	}
}

// TestSerialConsoles: every port that a PC kernel has, at every speed of consoles.
func TestSerialConsoles(t *testing.T) {
	for _, port := range []string{"ttyS0", "ttyS1", "ttyS2", "ttyS3"} {
		for _, speed := range []string{"9600", "19200", "38400", "57600", "115200"} {
			e := Enclave{OS: OS{Serial: port + "," + speed}}
			if !serialForm.MatchString(e.OS.Serial) || e.OS.SerialConsole() != port+","+speed {
				t.Errorf("%s,%s is refused", port, speed)
			}
		}
	}
	if have := (OS{}).SerialConsole(); have != "ttyS0,115200" {
		t.Errorf("have %s by default", have)
	}
}
