package tui

import (
	"slices"
	"strings"
)

// Act is something that the menu of the status console does.
type Act string

// The acts.
const (
	RestartKubernetes Act = "kubernetes"
	RestartRegistry   Act = "registry"
	ChangeNetwork     Act = "network"
	SaveBundle        Act = "bundle"
	OpenShell         Act = "shell"
	Reboot            Act = "reboot"
	PowerOff          Act = "poweroff"
)

// menuAct is an act of the menu: what it is called, and what it means.
type menuAct struct {
	act         Act
	label, what string
}

// acts are the menu.
var acts = []menuAct{
	{RestartKubernetes, "Restart Kubernetes", "Pods go on running. The node, and on a server the API, may not answer for some minutes."},
	{RestartRegistry, "Restart the registry", "No image can be pulled for some seconds."},
	{act: ChangeNetwork, label: "Change address or VLAN"}, // asks by itself
	{SaveBundle, "Save a support bundle to a stick", "It holds messages and the hardware, and no password."},
	{OpenShell, "Open a root shell", "It can change everything on this node. That it was opened goes into the journal."},
	{Reboot, "Restart this machine", "Everything that runs on this node stops until it is back."},
	{PowerOff, "Power off", "Everything that runs on this node stops."},
}

// acts are those of this node's menu: its own unit of Kubernetes, and a root shell
// only if its Spec allows one.
func (s Status) acts() []menuAct {
	list := slices.DeleteFunc(slices.Clone(acts), func(a menuAct) bool { return a.act == OpenShell && !s.node.Shell })
	if s.node.Unit != "" {
		list[0].label += " (" + s.node.Unit + ")"
	}
	return list
}

// chosen is the act that was chosen.
func (s Status) chosen() menuAct {
	for _, a := range s.acts() {
		if a.act == s.act {
			return a
		}
	}
	return menuAct{label: "?"}
}

// inSentence is what the act is called in the middle of a sentence.
func (s Status) inSentence() string {
	label := s.chosen().label
	return strings.ToLower(label[:1]) + label[1:]
}
