package cluster

import (
	"maps"
	"slices"
	"strings"
)

// The parts of Kubernetes' objects that are looked at (API reference, v1 and
// apps/v1).
type (
	Meta struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	}
	Condition struct {
		Type    string `json:"type"`
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	NodeObject struct {
		Spec struct {
			PodCIDR string `json:"podCIDR"`
		} `json:"spec"`
		Status struct {
			Conditions []Condition `json:"conditions"`
		} `json:"status"`
	}
	Waiting struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}
	PodObject struct {
		Metadata Meta `json:"metadata"`
		Status   struct {
			Phase      string      `json:"phase"`
			Conditions []Condition `json:"conditions"`
			Containers []struct {
				State struct {
					Waiting *Waiting `json:"waiting"`
				} `json:"state"`
			} `json:"containerStatuses"`
		} `json:"status"`
	}
	PodList struct {
		Items []PodObject `json:"items"`
	}
	WorkloadObject struct {
		Metadata struct {
			Generation int64 `json:"generation"`
		} `json:"metadata"`
		Spec struct {
			Replicas    *int64 `json:"replicas"`
			Completions *int64 `json:"completions"`
			Selector    struct {
				MatchLabels map[string]string `json:"matchLabels"`
			} `json:"selector"`
		} `json:"spec"`
		Status struct {
			ObservedGeneration     int64 `json:"observedGeneration"`
			ReadyReplicas          int64 `json:"readyReplicas"`
			UpdatedReplicas        int64 `json:"updatedReplicas"`
			DesiredNumberScheduled int64 `json:"desiredNumberScheduled"`
			UpdatedNumberScheduled int64 `json:"updatedNumberScheduled"`
			NumberReady            int64 `json:"numberReady"`
			Succeeded              int64 `json:"succeeded"`
		} `json:"status"`
	}
)

// IsTrue tells whether a condition holds, and what is said of it.
func IsTrue(conditions []Condition, kind string) (bool, string) {
	for _, c := range conditions {
		if c.Type == kind {
			return c.Status == "True", c.Message
		}
	}
	return false, ""
}

// Why says what a pod that is not ready is waiting for; "" if it is ready.
func (p PodObject) Why() string {
	if ready, _ := IsTrue(p.Status.Conditions, "Ready"); ready || p.Status.Phase == "Succeeded" {
		return ""
	}
	for _, c := range p.Status.Containers {
		if w := c.State.Waiting; w != nil && w.Reason != "" {
			return strings.TrimSpace(w.Reason + " " + FirstLine(w.Message))
		}
	}
	if ok, message := IsTrue(p.Status.Conditions, "PodScheduled"); !ok && message != "" {
		return FirstLine(message)
	}
	if p.Status.Phase == "" {
		return "not started"
	}
	return strings.ToLower(p.Status.Phase) + ", not ready"
}

// progress is how far a Workload is, of how far it is to be.
func (w WorkloadObject) progress(kind string) (have, want int64) {
	switch kind {
	case "DaemonSet":
		// Before the controller has seen it the numbers are all 0.
		if w.Status.ObservedGeneration < w.Metadata.Generation {
			return 0, 1
		}
		return min(w.Status.NumberReady, w.Status.UpdatedNumberScheduled), w.Status.DesiredNumberScheduled
	case "Job":
		return w.Status.Succeeded, or(w.Spec.Completions, 1)
	default: // Deployment, StatefulSet
		want = or(w.Spec.Replicas, 1)
		if w.Status.ObservedGeneration < w.Metadata.Generation {
			return 0, max(want, 1)
		}
		return min(w.Status.ReadyReplicas, w.Status.UpdatedReplicas), want
	}
}

func or(p *int64, value int64) int64 {
	if p == nil {
		return value
	}
	return *p
}

// FirstLine is the first line of a text, of bearable length.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	const longest = 300
	if len(line) > longest {
		return line[:longest] + "..."
	}
	return line
}

func selector(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}
