// Package schema holds the JSON Schemas (draft 2020-12) of the Spec and of the
// Answers, for editors and for checks by other tools. They are generated from
// the types of package spec; this package's test holds the two together, and
// `go test ./spec/schema -update` writes them anew.
//
// A schema knows the form of each field and nothing of how fields depend on one
// another: package spec checks that. It stands beside the flow.
package schema

import _ "embed"

//go:embed enclave.schema.json
var enclave []byte

//go:embed answers.schema.json
var answers []byte

// Enclave is the JSON Schema of caisson.yaml.
func Enclave() []byte { return append([]byte(nil), enclave...) }

// Answers is the JSON Schema of an answer file.
func Answers() []byte { return append([]byte(nil), answers...) }
