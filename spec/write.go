package spec

import (
	"github.com/goccy/go-yaml"
)

// WriteAnswers is a as an answer file: what ParseAnswers reads back is equal.
func WriteAnswers(a Answers) ([]byte, error) {
	a.APIVersion, a.Kind = APIVersion, KindAnswers
	raw, err := yaml.MarshalWithOptions(a, yaml.OmitEmpty(), yaml.Indent(2))
	if err != nil {
		return nil, err
	}
	if _, err := ParseAnswers(raw); err != nil {
		return nil, err
	}
	return raw, nil
}
