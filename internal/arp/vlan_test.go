package arp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestFrame: the tag lies between the addresses and the type of the message.
func TestFrame(t *testing.T) {
	for vlan, want := range map[int]string{0: "ffffffffffff" + "020000000001" + "0806", 42: "ffffffffffff" + "020000000001" + "8100" + "002a" + "0806"} {
		have := hex.EncodeToString(frame(mine, vlan, address))
		if want += hex.EncodeToString(probe(mine, address)); have != want {
			t.Errorf("VLAN %d: have %s\nwant %s", vlan, have, want)
		}
	}
}

const (
	untagged = 0
	anyTag   = -1 // whatever the tag of the question
)

// owner has an address in the VLANs that it hears, and answers with a tag of its own.
type owner struct{ hears, answers int }

// owners answer at the far end of the cable: a machine on a trunk. The socket tells
// the tag apart from the message (packet(7), PACKET_AUXDATA), which is another way
// than the one that is judged. It gives the tags that each address was asked with.
func owners(t *testing.T, c cable, of map[netip.Addr]owner) (asked func() map[netip.Addr][]int) {
	t.Helper()
	tags := map[netip.Addr][]int{}
	ready, stop, ended := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // it ends with the goroutine
		fd, err := trunk(c)
		ready <- err
		if err != nil {
			return
		}
		defer unix.Close(fd)
		b, oob := make([]byte, 256), make([]byte, 256)
		for {
			select {
			case <-stop:
				return
			default:
			}
			n, m, _, _, err := unix.Recvmsg(fd, b, oob, 0)
			if err != nil || n < header+length || !bytes.Equal(b[12:14], []byte{8, 6}) || !bytes.Equal(b[28:32], make([]byte, 4)) {
				continue // the time is over, or it is no probe
			}
			tag, target := tagOf(oob[:m]), netip.AddrFrom4([4]byte(b[38:42]))
			tags[target] = append(tags[target], tag)
			o, ok := of[target]
			if !ok || o.hears != anyTag && o.hears != tag {
				continue
			}
			answer := frame(theirs, o.answers, netip.IPv4Unspecified())
			at := len(answer) - length
			copy(answer, b[6:12])
			answer[at+7] = reply
			copy(answer[at+14:], target.AsSlice())
			if _, err := unix.Write(fd, answer); err != nil {
				t.Error(err)
			}
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { close(stop); <-ended })
	t.Cleanup(end)
	return func() map[netip.Addr][]int { end(); return tags }
}

// trunk is a socket at the far end that hears everything, with its tag.
func trunk(c cable) (int, error) {
	if err := enter("/run/netns/" + c.name); err != nil {
		return 0, err
	}
	link, err := net.InterfaceByName(c.far)
	if err != nil {
		return 0, err
	}
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // the order of the network
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all&0xffff)
	if err != nil {
		return 0, err
	}
	wait := unix.Timeval{Usec: 50_000}
	for _, err := range []error{unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all & 0xffff, Ifindex: link.Index}),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)} {
		if err != nil {
			return 0, err
		}
	}
	return fd, nil
}

// tagOf is the VLAN of a message by what the kernel says beside it.
func tagOf(oob []byte) int {
	all, _ := unix.ParseSocketControlMessage(oob)
	for _, m := range all {
		if m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
			continue
		}
		aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&m.Data[0]))
		if aux.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			return int(aux.Vlan_tci & 0xfff)
		}
	}
	return untagged
}

// enter takes a locked thread into a network namespace.
func enter(path string) error {
	ns, err := os.Open(path)
	if err != nil {
		return err
	}
	defer ns.Close()
	return unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
}

// TestWhoHasInVLAN: an address counts in the VLAN that was asked, and in no other.
func TestWhoHasInVLAN(t *testing.T) {
	c := plug(t)
	here := fmt.Sprintf("/proc/%d/ns/net", unix.Gettid())
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, 0, byte(100 + i)}) }
	cases := []struct {
		name string
		vlan int
		owner
		found bool
	}{
		{"in the VLAN", 42, owner{42, 42}, true},
		{"in the last VLAN", 4094, owner{4094, 4094}, true},
		{"without a tag", untagged, owner{untagged, untagged}, true},
		{"in another VLAN", 43, owner{42, 42}, false},
		{"in none, asked in one", 42, owner{untagged, untagged}, false},
		{"in one, asked in none", untagged, owner{42, 42}, false},
		{"answers in another VLAN", 42, owner{anyTag, 43}, false},
		{"answers without a tag", 42, owner{anyTag, untagged}, false},
		{"answers in a VLAN to who is in none", untagged, owner{anyTag, 42}, false},
	}
	of := map[netip.Addr]owner{}
	for i, x := range cases {
		of[at(i)] = x.owner
	}
	// Without a tag this one is the kernel's at the far end.
	c.there(t, "address", "add", "10.20.0.31/24", "dev", c.far)
	asked := owners(t, c, of)
	var all sync.WaitGroup
	ask := func(name string, vlan int, a netip.Addr, found bool) {
		all.Go(func() {
			runtime.LockOSThread()
			if err := enter(here); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			who, err := WhoHas(t.Context(), c.card, vlan, a)
			if err != nil || found != bytes.Equal(who, theirs) || !found && who != nil {
				t.Errorf("%s: have %v, %v, want an answer: %v", name, who, err, found)
			}
		})
	}
	for i, x := range cases {
		ask(x.name, x.vlan, at(i), x.found)
	}
	ask("a kernel that is not in the VLAN", 42, address, false)
	all.Wait()
	for i, tags := range asked() {
		want := 42
		if at := int(i.As4()[3]) - 100; at >= 0 {
			want = cases[at].vlan
		}
		if slices.ContainsFunc(tags, func(tag int) bool { return tag != want }) {
			t.Errorf("%s was asked for with the tags %v, want %d", i, tags, want)
		}
	}
}

// TestWhoHasInVLANOfTheKernel: the kernel's own VLAN is the judge, where it has any.
func TestWhoHasInVLANOfTheKernel(t *testing.T) {
	c := plug(t)
	if out, err := exec.Command("ip", "-netns", c.name, "link", "add", "link", c.far, "name", "trunk42", "type", "vlan", "id", "42").CombinedOutput(); err != nil {
		t.Skipf("this machine's kernel makes no VLAN: %s", bytes.TrimSpace(out))
	}
	c.there(t, "address", "add", "10.20.0.31/24", "dev", "trunk42")
	c.there(t, "link", "set", "trunk42", "up")
	for vlan, want := range map[int]bool{42: true, 43: false, untagged: false} {
		begun := time.Now()
		who, err := WhoHas(t.Context(), c.card, vlan, address)
		if err != nil || (who != nil) != want || want && time.Since(begun) > between {
			t.Errorf("VLAN %d: have %v, %v, want an answer: %v", vlan, who, err, want)
		}
	}
	if cache := c.there(t, "neigh", "show"); strings.Contains(cache, "10.20.0.31") {
		t.Errorf("the other machine remembers:\n%s", cache)
	}
}
