package node

import (
	"fmt"

	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// hashRounds make one guess at a password cost tens of milliseconds; an answer to
// a password on the status console takes answerTime in all, on the slowest node too.
const hashRounds = 200_000

// HashPassword makes a SHA-512 hash of crypt(5) with a salt of 16 random
// characters. SHA-512 is what a node in FIPS mode still accepts.
func (*host) HashPassword(password string) (string, error) {
	hasher, err := shacrypt.New(shacrypt.WithSHA512(), shacrypt.WithIterations(hashRounds), shacrypt.WithSaltLength(shacrypt.SaltLengthMax))
	if err != nil {
		return "", fmt.Errorf("cannot make the hash of the password: %w", err)
	}
	digest, err := hasher.Hash(password)
	if err != nil {
		return "", fmt.Errorf("cannot make the hash of the password: %w", err)
	}
	return digest.Encode(), nil
}
