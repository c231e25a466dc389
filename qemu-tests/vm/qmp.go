package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// QMP is a client of QEMU's machine protocol (docs/interop/qmp-spec.rst in
// QEMU's source): a greeting, a capabilities handshake, then commands answered
// by id, with events in between. One goroutine reads; Execute may be called
// from many.
type QMP struct {
	conn    io.ReadWriteCloser
	onEvent func(Notice)

	writing sync.Mutex // one line at a time; never held while reading is
	mu      sync.Mutex
	next    int
	waiting map[int]chan reply
	err     error         // why reading ended; set before closed is
	closed  chan struct{} // reading has ended
}

// Notice is an asynchronous event of QEMU, as SHUTDOWN or RESET.
type Notice struct {
	Event string         `json:"event"`
	Data  map[string]any `json:"data"`
}

type reply struct {
	ID     *int            `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Greeting json.RawMessage `json:"QMP"`
	Notice
}

type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        int    `json:"id"`
}

// NewQMP shakes hands on a fresh connection. onEvent gets every event, in
// order, from the reading goroutine; it must not call Execute.
func NewQMP(ctx context.Context, conn io.ReadWriteCloser, onEvent func(Notice)) (*QMP, error) {
	q := &QMP{conn: conn, onEvent: onEvent, waiting: map[int]chan reply{}, closed: make(chan struct{})}
	greeted := make(chan struct{})
	go q.read(json.NewDecoder(conn), greeted)
	select {
	case <-greeted:
	case <-q.closed:
		return nil, ControlRefused.New("cannot talk QMP: have no greeting, need one first: %w", q.err)
	case <-ctx.Done():
		conn.Close()
		return nil, context.Cause(ctx)
	}
	if err := q.Execute(ctx, "qmp_capabilities", nil, nil); err != nil {
		conn.Close()
		return nil, err
	}
	return q, nil
}

// Execute sends a command and waits for its answer. args is marshalled to the
// arguments object, nil for none; the return value is read into result unless
// that is nil.
func (q *QMP) Execute(ctx context.Context, command string, args, result any) error {
	answer := make(chan reply, 1)
	q.mu.Lock()
	q.next++
	id := q.next
	q.waiting[id] = answer
	q.mu.Unlock()
	defer q.forget(id)
	line, err := json.Marshal(request{command, args, id})
	if err == nil {
		err = q.send(line)
	}
	if err != nil {
		return ControlRefused.New("cannot send QMP command %s: %w", command, err)
	}
	var r reply
	select {
	case r = <-answer:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-q.closed:
		// The answer may have come in the same breath as the end.
		select {
		case r = <-answer:
		default:
			return ControlRefused.New("cannot run QMP command %s: have a closed connection, need an answer: %w", command, q.err)
		}
	}
	if r.Error != nil {
		return ControlRefused.New("cannot run QMP command %s: have %s, need success: %s", command, r.Error.Class, r.Error.Desc)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(r.Return, result); err != nil {
		return ControlRefused.New("cannot read the answer to QMP command %s: %w", command, err)
	}
	return nil
}

// Close ends the connection; QEMU goes on.
func (q *QMP) Close() error { return q.conn.Close() }

func (q *QMP) send(line []byte) error {
	q.writing.Lock()
	defer q.writing.Unlock()
	_, err := q.conn.Write(append(line, '\n'))
	return err
}

func (q *QMP) forget(id int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, id)
}

func (q *QMP) read(in *json.Decoder, greeted chan struct{}) {
	defer close(q.closed)
	for seen := false; ; {
		var r reply
		if err := in.Decode(&r); err != nil {
			q.err = err
			if errors.Is(err, io.EOF) {
				q.err = io.EOF
			}
			return
		}
		switch {
		case r.Greeting != nil && !seen:
			seen = true
			close(greeted)
		case !seen:
			q.err = fmt.Errorf("have %q before the greeting", r.Event)
			return
		case r.Event != "":
			q.onEvent(r.Notice)
		case r.ID != nil:
			q.mu.Lock()
			if w, ok := q.waiting[*r.ID]; ok {
				w <- r // one answer an id, room for it
				delete(q.waiting, *r.ID)
			}
			q.mu.Unlock()
		}
	}
}
