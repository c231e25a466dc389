package node

import (
	"encoding/json"
	"net/http"
	"strings"

	"caisson.dev/caisson/internal/standin"
)

// object is a made-up object of Kubernetes' API.
type object = map[string]any

// handler answers /ping and /cacerts to anybody, and to who shows a certificate
// as much of the API as readiness and checks read. All of it is made up: there
// is no cluster.
func (p *Program) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ping":
			_, _ = w.Write([]byte("pong"))
			return
		case "/cacerts":
			b, err := p.cacerts()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = w.Write(b)
			return
		}
		if err := p.audit(r); err != nil {
			p.say("level=error msg=%q", err)
		}
		switch {
		case len(r.TLS.PeerCertificates) == 0:
			answer(w, http.StatusUnauthorized, status("Unauthorized"))
		case r.Method != http.MethodGet:
			answer(w, http.StatusMethodNotAllowed, status("a stand-in keeps nothing"))
		default:
			p.read(w, r.URL.Path)
		}
	})
}

func (p *Program) read(w http.ResponseWriter, path string) {
	switch path {
	case "/readyz", "/livez", "/healthz":
		_, _ = w.Write([]byte("ok"))
		return
	case "/version":
		answer(w, http.StatusOK, object{"gitVersion": p.Version, "stand-in": standin.Mark})
		return
	case "/api/v1/nodes":
		answer(w, http.StatusOK, list("NodeList", p.node()))
		return
	case "/api/v1/nodes/" + p.nodeName():
		answer(w, http.StatusOK, p.node())
		return
	case "/api/v1/pods", "/api/v1/namespaces/kube-system/pods":
		answer(w, http.StatusOK, list("PodList", p.pods()...))
		return
	}
	// The workloads of kube-system: all that is asked for by name are ready, and
	// CoreDNS is the one that a list has.
	f := strings.Split(strings.Trim(path, "/"), "/")
	if len(f) > 5 && f[0] == "apis" && f[4] == "kube-system" {
		switch {
		case len(f) == 7:
			answer(w, http.StatusOK, workload(f[5], f[6]))
		case f[5] == "deployments":
			answer(w, http.StatusOK, list("DeploymentList", workload(f[5], "coredns")))
		default:
			answer(w, http.StatusOK, list("List"))
		}
		return
	}
	answer(w, http.StatusNotFound, status("a stand-in knows no "+path))
}

func answer(w http.ResponseWriter, code int, v object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // who asked may be gone
}

func status(message string) object {
	return object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "stand-in: " + message}
}

func list(kind string, items ...object) object {
	return object{"kind": kind, "apiVersion": "v1", "items": append([]object{}, items...)}
}

func meta(name, namespace string, labels map[string]string) object {
	m := object{"name": name, "labels": labels, "annotations": map[string]string{"stand-in": standin.Mark}, "generation": 1}
	if namespace != "" {
		m["namespace"] = namespace
	}
	return m
}

func ready(kind string) []object {
	return []object{{"type": kind, "status": "True", "message": "stand-in"}}
}

func (p *Program) node() object {
	labels := map[string]string{"kubernetes.io/hostname": p.nodeName()}
	if p.Server {
		labels["node-role.kubernetes.io/control-plane"] = "true"
	}
	for _, l := range p.keys.list("node-label") {
		k, v, _ := strings.Cut(l, "=")
		labels[k] = v
	}
	return object{"kind": "Node", "apiVersion": "v1", "metadata": meta(p.nodeName(), "", labels), "spec": object{"podCIDR": p.keys.text("cluster-cidr", "10.42.0.0/24")},
		"status": object{"conditions": ready("Ready"), "nodeInfo": object{"kubeletVersion": p.Version}}}
}

// pods are those of the control plane and the packaged parts.
func (p *Program) pods() []object {
	var out []object
	add := func(name string, labels map[string]string) {
		out = append(out, object{"kind": "Pod", "apiVersion": "v1", "metadata": meta(name+"-"+p.nodeName(), "kube-system", labels), "spec": object{"nodeName": p.nodeName()},
			"status": object{"phase": "Running", "conditions": ready("Ready"), "containerStatuses": []object{{"name": name, "ready": true, "state": object{"running": object{}}}}}})
	}
	if p.Product == "rke2" {
		for name := range p.staticPods() {
			if p.Server || name == "kube-proxy" {
				add(name, map[string]string{"component": name, "tier": "control-plane"})
			}
		}
	}
	if p.Server {
		add("coredns", map[string]string{"k8s-app": "kube-dns"})
	}
	return out
}

// workload is a Deployment, DaemonSet or StatefulSet of kube-system that is ready.
func workload(kind, name string) object {
	return object{"kind": kind, "apiVersion": "apps/v1", "metadata": meta(name, "kube-system", nil), "spec": object{"replicas": 1},
		"status": object{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
			"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1, "conditions": ready("Available")}}
}
