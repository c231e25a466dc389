package plan

import (
	"encoding/json"
	"strings"

	ignition "github.com/coreos/ignition/v2/config/v3_5"
)

// checkConfig refuses a configuration that Ignition would refuse on the node,
// or that names a source outside of itself: a node must not need a network, and
// nothing that the bundle did not bring may come in.
func checkConfig(raw []byte) error {
	_, report, err := ignition.ParseCompatibleVersion(raw)
	if err != nil || report.IsFatal() {
		return ConfigRefused.New("cannot use the rendered configuration: Ignition says %w: %s", err, report.String())
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return ConfigRefused.New("cannot read the rendered configuration: %w", err)
	}
	if source := foreign(v); source != "" {
		return ConfigRefused.New("cannot use the rendered configuration: have source %q, need data: only", source)
	}
	return nil
}

// foreign finds a source that is not a data URL (RFC 2397), anywhere in v. Every
// remote thing of an Ignition config is under the key "source" (spec v3.5).
func foreign(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["source"].(string); ok && s != "" && !strings.HasPrefix(s, "data:") {
			return s
		}
		for _, sub := range v {
			if s := foreign(sub); s != "" {
				return s
			}
		}
	case []any:
		for _, sub := range v {
			if s := foreign(sub); s != "" {
				return s
			}
		}
	}
	return ""
}
