package check

// onNodes and onServers name what a person judges unless a profile has a line of
// its own for it. The words are ours.
var onNodes = [][2]string{
	{"4.1.3", "kube-proxy's credentials are readable by root alone"},
	{"4.1.4", "kube-proxy's credentials belong to root"},
	{"4.2.7", "The node is known by its own name"},
	{addressDeny, "The kubelet's service talks to known addresses only"},
	{"4.3.1", "kube-proxy's numbers are for this node alone"},
}

var onServers = [][2]string{
	{"1.2.11", "Images are asked for anew for each pod, with credentials"},
	{"1.2.20", "A request may last as long as the site means it to"},
	{"3.1.1", "People do not log in with client certificates"},
	{"3.1.2", "People do not log in with service accounts' tokens"},
	{"3.1.3", "People do not log in with bootstrap tokens"},
	{"3.2.2", "The audit policy writes down what people do"},
	{"5.1.1", "cluster-admin is given to few, and for a reason"},
	{"5.1.2", "Few can read secrets"},
	{"5.1.3", "Roles name what they allow, without wildcards"},
	{"5.1.4", "Few can make pods"},
	{"5.1.5", "Default service accounts have no token to use"},
	{"5.1.6", "Tokens are mounted only where a pod needs one"},
	{"5.1.7", "Nobody uses the group system:masters"},
	{"5.1.8", "Few can bind, impersonate or escalate"},
	{"5.1.9", "Few can make persistent volumes"},
	{"5.1.10", "Few can reach nodes through the API server's proxy"},
	{"5.1.11", "Few can approve certificate requests"},
	{"5.1.12", "Few can change admission webhooks"},
	{"5.1.13", "Few can make tokens for service accounts"},
	{"5.2.1", "Something decides what pods may do"},
	{"5.2.2", "Namespaces refuse privileged containers"},
	{"5.2.3", "Namespaces refuse pods that see the host's processes"},
	{"5.2.4", "Namespaces refuse pods that share the host's IPC"},
	{"5.2.5", "Namespaces refuse pods on the host's network"},
	{"5.2.6", "Namespaces refuse containers that can gain privileges"},
	{"5.2.7", "Namespaces refuse containers that run as root"},
	{"5.2.8", "Namespaces refuse containers that can forge packets"},
	{addedCapabilities, "Namespaces refuse containers with capabilities added"},
	{"5.2.9", "Namespaces refuse containers that keep capabilities"},
	{"5.2.10", "Namespaces refuse Windows containers of the host"},
	{"5.2.11", "Namespaces refuse pods with folders of the host"},
	{"5.2.12", "Namespaces refuse containers with ports of the host"},
	{"5.3.1", "The pod network holds network policies"},
	{"5.3.2", "Every namespace has a network policy"},
	{"5.4.1", "Pods get secrets as files, not as variables"},
	{"5.4.2", "A store outside the cluster for secrets was thought of"},
	{"5.5.1", "Images are admitted by where they come from"},
	{"5.6.1", "Namespaces divide what has to be apart"},
	{"5.6.2", "Pods run under a seccomp profile"},
	{"5.6.3", "Pods and containers have a security context"},
	{"5.6.4", "Nothing runs in the namespace default"},
}

// titles of the lines that are tests here and manual elsewhere.
func title(name string) string {
	for _, l := range onServers {
		if l[0] == name {
			return l[1]
		}
	}
	return ""
}
