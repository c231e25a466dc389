package catalog

import (
	"strings"
	"testing"
)

func TestGet(t *testing.T) {
	for _, name := range Names() {
		p, err := Get(name)
		if err != nil || p.Name() != name {
			t.Errorf("Get(%q) = %v, %v", name, p, err)
		}
	}
	_, err := Get("kubespray")
	if !ProfileUnknown.Is(err) || !strings.Contains(err.Error(), "kubeadm") {
		t.Errorf("Get of an unknown name: %v, want PROFILE-UNKNOWN with the known names", err)
	}
}
