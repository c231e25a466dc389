package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Reset presses the reset button.
func (v *VM) Reset(ctx context.Context) error {
	return v.QMP.Execute(ctx, "system_reset", nil, nil)
}

// PowerDown presses the power button: ACPI, the guest decides.
func (v *VM) PowerDown(ctx context.Context) error {
	return v.QMP.Execute(ctx, "system_powerdown", nil, nil)
}

// Continue starts the CPUs of a machine that was started Paused.
func (v *VM) Continue(ctx context.Context) error {
	return v.QMP.Execute(ctx, "cont", nil, nil)
}

// Quit ends QEMU in order: its files are closed. The guest is not asked.
func (v *VM) Quit(ctx context.Context) error {
	return v.QMP.Execute(ctx, "quit", nil, nil)
}

// Pull pulls a stick out of its port. The guest is not asked.
func (v *VM) Pull(ctx context.Context, medium int) error {
	return v.QMP.Execute(ctx, "device_del", map[string]string{"id": stickID(medium)}, nil)
}

// Plug plugs a stick in that is not.
func (v *VM) Plug(ctx context.Context, medium int) error {
	return v.QMP.Execute(ctx, "device_add", map[string]any{
		"driver": "usb-storage", "bus": "xhci.0", "removable": true, "id": stickID(medium), "drive": fmt.Sprintf("medium%d", medium)}, nil)
}

// Cable plugs the cable of a network card in, or pulls it.
func (v *VM) Cable(ctx context.Context, card int, in bool) error {
	return v.QMP.Execute(ctx, "set_link", map[string]any{"name": cardID(card), "up": in}, nil)
}

// Press presses keys together on the keyboard, by QEMU's names for them
// (QKeyCode, qapi/ui.json): Press(ctx, "ctrl", "alt", "delete").
func (v *VM) Press(ctx context.Context, keys ...string) error {
	type key struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	var args struct {
		Keys []key `json:"keys"`
	}
	for _, k := range keys {
		args.Keys = append(args.Keys, key{"qcode", k})
	}
	return v.QMP.Execute(ctx, "send-key", args, nil)
}

// Screendump writes the picture on the screen to path, as PNG. QEMU's own PNG
// is newer than the oldest QEMU we run on, so the picture comes as PPM.
func (v *VM) Screendump(ctx context.Context, path string) error {
	raw := v.Config.file("screen.ppm")
	defer os.Remove(raw)
	err := v.QMP.Execute(ctx, "screendump", map[string]string{"filename": raw}, nil)
	if err != nil {
		return err
	}
	in, err := os.Open(raw)
	if err != nil {
		return ControlRefused.New("cannot read the screen: %w", err)
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return ControlRefused.New("cannot keep the screen: %w", err)
	}
	if err := convertPPM(in, out); err != nil {
		out.Close()
		return ControlRefused.New("cannot convert the screen: %w", err)
	}
	return out.Close()
}

// Save keeps the evidence of a run in dir: the screen (while the machine runs),
// the raw serial log, the events, the journal, QEMU's own words and its arguments. It keeps
// what it can and reports the first thing that it could not.
func (v *VM) Save(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var first error
	note := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	select {
	case <-v.exited: // no screen any more
	default:
		note(v.Screendump(ctx, filepath.Join(dir, "screen.png")))
	}
	for _, name := range []string{SerialLog, EventLog, JournalLog, QEMULog} {
		b, err := os.ReadFile(v.Config.file(name))
		note(err)
		if err == nil {
			note(os.WriteFile(filepath.Join(dir, name), b, 0o644))
		}
	}
	note(os.WriteFile(filepath.Join(dir, "argv.txt"), []byte(strings.Join(append([]string{v.Config.Program}, v.Args...), "\n")+"\n"), 0o644))
	if bad := v.Events.Bad(); len(bad) > 0 {
		note(os.WriteFile(filepath.Join(dir, "not-events.txt"), []byte(strings.Join(bad, "\n")+"\n"), 0o644))
	}
	return first
}
