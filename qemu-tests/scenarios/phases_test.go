package scenarios

import (
	"encoding/json"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/qemu-tests/vm"
)

func TestPhases(t *testing.T) {
	at := func(s float64, e event.Event) vm.Seen {
		return vm.Seen{Event: e, At: time.Duration(s * float64(time.Second))}
	}
	kind := func(k string) map[string]string { return map[string]string{"kind": k} }
	phases := Phases([]Boot{
		{Name: "install from the ISO", Off: 61 * time.Second, Events: []vm.Seen{
			at(30, event.Event{Name: "start"}),
			at(30.5, event.Event{Name: "media.begin"}),
			at(33, event.Event{Name: "media.check", Done: 1, Size: 2}),
			at(40, event.Event{Name: "media.ok"}),
			at(40.25, event.Event{Name: "machine"}),
			at(41, event.Event{Name: "plan"}),
			at(42, event.Event{Name: "step", Step: 1, Steps: 2, Data: kind("clear")}),
			at(50, event.Event{Name: "step", Step: 2, Steps: 2, Data: kind("activate")}),
			at(60, event.Event{Name: "done", Data: map[string]string{"result": "ok"}}),
		}},
		{Name: "first boot of the node", Events: []vm.Seen{
			at(70, event.Event{Name: "wait", Message: "waiting for the API server"}),
			at(80, event.Event{Name: "health"}),
			at(200, event.Event{Name: "node.ready"}),
			at(220, event.Event{Name: "ready"}),
			at(221, event.Event{Name: "done", Data: map[string]string{"result": "ok"}}),
		}},
		{Name: "never said a word"},
	})
	b, err := json.MarshalIndent(phases, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "phases.json", append(b, '\n'))
	golden.Equal(t, "phases.txt", []byte(Table(phases)))
}
