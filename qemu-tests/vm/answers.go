package vm

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"slices"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/iso/iso9660"
)

// What the installer looks for on a second medium.
const (
	AnswersLabel = "CAISSON"
	AnswersFile  = "answers.yaml"
)

// answersEpoch is 1 January 2000, UTC: the same answers give the same bytes.
const answersEpoch = 946684800

// AnswersMedium writes an ISO image at path that holds the answers: the second
// stick of an unattended install, whole or not at all. The answers are not looked
// at.
func AnswersMedium(path string, answers []byte) error {
	return LabelledMedium(path, map[string][]byte{AnswersFile: answers})
}

// LabelledMedium is AnswersMedium with more files beside the answers.
func LabelledMedium(path string, files map[string][]byte) error {
	v := iso9660.Volume{
		Label: AnswersLabel, Application: "CAISSON ANSWERS", Epoch: answersEpoch,
		Align: 1 << 20, // some USB bridges and hypervisors refuse a tiny medium
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		v.Entries = append(v.Entries, iso9660.Entry{Path: name, Size: int64(len(files[name]))})
	}
	layout, err := iso9660.Plan(v)
	if err != nil {
		return err
	}
	err = newfile.Write(path, func(out *os.File) error {
		_, err := layout.Write(context.Background(), out, iso9660.Content{
			Source: func(name string) (iso9660.Source, error) {
				return iso9660.Source{
					Open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files[name])), nil },
					Digest: digest.Of(files[name]),
				}, nil
			},
		}, iso9660.Options{})
		return err
	})
	if err != nil && len(fault.All(err)) == 0 {
		return newfile.Unwritable.New("cannot write the answers medium %s: %w", path, err)
	}
	return err
}
