// Package canon writes values in the one form whose digest is an identity:
// JSON with struct fields in declared order, map keys sorted (encoding/json
// does both), two-space indent, no HTML escapes and one final newline. The same
// bytes are what people read, what is signed and what is hashed. It is a leaf.
package canon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"caisson.dev/caisson/internal/digest"
)

// JSON is the canonical form of v.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Digest is the identity of v: the SHA-256 of its canonical form.
func Digest(v any) (digest.Digest, error) {
	b, err := JSON(v)
	if err != nil {
		return "", err
	}
	return digest.Of(b), nil
}

// Decode reads JSON into v: unknown fields and trailing data are errors.
func Decode(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("data after the end of the JSON value")
	}
	return nil
}
