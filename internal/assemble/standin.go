package assemble

import (
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/standin"
)

// standIns lists the files for the node that are stand-ins, by artifact name. One
// is enough to refuse the medium, unless it is a test's (Input.StandIns). What was
// compiled here from checksummed modules is not looked at.
func (s *sealing) standIns(payload []bundle.Payload) ([]string, error) {
	var found []string
	for _, p := range payload {
		if strings.HasPrefix(s.byName[p.Name].Source, "pkg:golang/") || slices.Contains(found, p.Name) {
			continue
		}
		is, err := s.standIn(p)
		if err != nil {
			return nil, err
		}
		if is {
			found = append(found, p.Name)
		}
	}
	if len(found) > 0 && !s.in.StandIns {
		return nil, standInRefused.New("cannot build a medium: have a stand-in of Caisson's own tests in %s, need the vendor's file", strings.Join(found, ", ")).
			Hint("kubernetes.release in the Spec says where the vendor's files come from")
	}
	return found, nil
}

func (s *sealing) standIn(p bundle.Payload) (bool, error) {
	f, err := s.store.Open(p.Digest)
	if err != nil {
		return false, err
	}
	defer f.Close()
	is, err := standin.In(f, p.Name)
	if err != nil {
		return false, standInUnknown.New("cannot tell whether %s is a stand-in of Caisson's own tests: have a stream that cannot be unpacked, need a whole one: %w", p.Name, err)
	}
	return is, nil
}

// releaseName is the medium's name. One with stand-ins says so in it, because
// inspect, verify, boot menu, screens and Record all show the name.
func releaseName(enclave, identity string, standIns []string) string {
	if len(standIns) > 0 {
		enclave += "-" + standin.Word
	}
	return enclave + "-" + identity
}
