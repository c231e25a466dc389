package node

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// closed are the namespaces whose pods are reached from their own namespace only:
// by RKE2's profile "cis" (rke2 pkg/rke2/np.go), and on K3s by k3s-edge's policies.
// The ingress controller is in kube-system, which is as closed, but to itself open.
var closed = []string{"default", "kube-public"}

// CheckManifests refuses the carried objects that would do nothing here, or what
// an enclave cannot give.
func CheckManifests(e spec.Enclave, objects []profiles.Object) error {
	var errs []error
	for _, o := range objects {
		errs = append(errs, checkUpgrade(o), checkIngress(e, o, objects))
	}
	return errors.Join(errs...)
}

func refuse(kind fault.Kind, o profiles.Object, need string) *fault.Fault {
	return kind.New("cannot use manifest %s: have %s %s, need %s", o.File, o.Kind, strings.TrimPrefix(o.Namespace+"/"+o.Name, "/"), need)
}

// checkUpgrade refuses the system-upgrade-controller and its plans: a job of it
// pulls, always, an image that is in no release, and writes the program over the
// node's, without the archives that the program starts from (system-upgrade-controller
// manifests/system-upgrade-controller.yaml; rke2-upgrade and k3s-upgrade
// scripts/upgrade.sh).
func checkUpgrade(o profiles.Object) error {
	const controller = "system-upgrade-controller"
	switch {
	case strings.HasPrefix(o.APIVersion, "upgrade.cattle.io/"):
	case o.Kind == "Deployment" && o.Name == controller:
	case o.Kind == "CustomResourceDefinition" && strings.HasSuffix(o.Name, ".upgrade.cattle.io"):
	default:
		return nil
	}
	return refuse(UpgradeJobs, o, "no upgrade from inside the cluster: an upgrade is a new medium").
		Hint("leave the " + controller + " and its plans out; its jobs pull images at any time and bring the program without its image archives")
}

// checkIngress refuses an ingress to pods that the ingress controller cannot
// reach, unless a policy for their namespace is carried, too.
func checkIngress(e spec.Enclave, o profiles.Object, all []profiles.Object) error {
	group, _, _ := strings.Cut(o.APIVersion, "/")
	namespace := cmp.Or(o.Namespace, "default")
	switch {
	case !(o.Kind == "Ingress" && group == "networking.k8s.io" || strings.HasPrefix(o.Kind, "IngressRoute") && strings.HasPrefix(group, "traefik.")):
		return nil
	case !slices.Contains(closed, namespace) || slices.Contains(e.Kubernetes.Ingress, spec.None):
		return nil
	case slices.Contains(e.Kubernetes.CNI, "flannel"):
		return nil // RKE2's chart of it has nothing that enforces policies (rke2-charts packages/rke2-flannel)
	}
	for _, p := range all {
		// Whoever writes one for this namespace, of Kubernetes or of its network,
		// knows that it is closed.
		if strings.HasSuffix(p.Kind, "NetworkPolicy") && cmp.Or(p.Namespace, "default") == namespace {
			return nil
		}
	}
	return refuse(IngressClosed, o, "it in a namespace other than "+strings.Join(closed, " and ")+": these are closed to the ingress controller").
		Hint("give the application a namespace of its own; or carry a NetworkPolicy for namespace %s that lets the controller's pods in kube-system in", namespace)
}
