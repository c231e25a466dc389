package installtest

import (
	_ "embed"

	"caisson.dev/caisson/bundle"
)

// What a medium with sealed secrets holds. Passphrase opens them; SecretMarker is
// in every secret file: neither may be seen anywhere but in those files.
const (
	SealedSpec   = Spec + "secrets: {sealed: sealed.age}\n"
	Passphrase   = "marker of the passphrase 9d1f"
	SecretMarker = "MARKER-OF-THE-KEY-77ab"
)

var (
	//go:embed sealed.age
	sealedFile []byte
	//go:embed sealed.age.json
	sealedNotes []byte
)

// SealedMedium is Medium with secrets that Passphrase opens. They were sealed
// once, so that it is the same at every run.
func SealedMedium(dir string, osImage []byte) error {
	said, err := bundle.ReadSealed(sealedNotes)
	if err != nil {
		return err
	}
	return medium(dir, osImage, SealedSpec, map[string]string{bundle.SecretsPath: string(sealedFile)}, &said)
}
