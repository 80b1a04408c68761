package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/web"
)

// changeFor is how long targets change; a soak does it longer.
func changeFor() time.Duration {
	if os.Getenv("BERTH_SOAK") != "" {
		return 10 * time.Minute
	}
	return 20 * time.Second
}

// mover is an engine whose targets come and go.
type mover struct {
	engine *web.Engine
	at     string
	live   []*moved
	gone   sync.WaitGroup
}

// moved is a target of a short life.
type moved struct {
	balancer.PoolTarget
	server *http.Server
}

// changing measures budget 16: each second a target comes and the oldest leaves; it
// ends once nothing is under way to it.
func changing(ctx context.Context, _ *bench) (result, error) {
	m := &mover{engine: frontEngine(nil)}
	for range 2 {
		if err := m.join(); err != nil {
			return result{}, err
		}
	}
	m.apply(nil)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	m.at = l.Addr().String()
	go m.engine.Serve(l, "eni-1", 80)
	defer m.engine.Drain(ctx)
	r, err := m.run(ctx)
	for _, t := range m.live {
		t.server.Close()
	}
	return r, err
}

func (m *mover) run(ctx context.Context) (result, error) {
	var over atomic.Bool
	var asking sync.WaitGroup
	users := []*user{{name: "GET", ask: get}, {name: "POST", ask: post}, {name: "WebSocket", ask: talk}}
	for _, u := range users {
		for range 2 {
			asking.Go(func() { u.until(ctx, &over, m.at) })
		}
	}
	err := m.move(ctx)
	over.Store(true)
	asking.Wait()
	m.gone.Wait()
	r := result{Note: "targets changed each second for " + changeFor().String() + "; no peer: it is judged by itself"}
	for _, u := range users {
		r.Figures = append(r.Figures,
			figure{Name: u.name + " failed", Value: float64(u.failed.Load()), Unit: fmt.Sprintf("of %d (budget 0)", u.made.Load())})
		if first, ok := u.first.Load().(string); ok {
			r.Note += "; " + u.name + ": " + first
		}
	}
	return r, err
}

func (m *mover) move(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := time.Now().Add(changeFor()); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := m.join(); err != nil {
			return err
		}
		leaves := m.live[0]
		m.live = m.live[1:]
		m.apply(leaves)
		m.gone.Go(func() { m.end(leaves) })
	}
	return nil
}

// join adds a target that serves already.
func (m *mover) join() error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t := &moved{frontTarget(l.Addr().String()), &http.Server{Handler: http.HandlerFunc(answer)}}
	go t.server.Serve(l)
	m.live = append(m.live, t)
	return nil
}

// apply leads to those that live; one drains.
func (m *mover) apply(leaves *moved) {
	var all []balancer.PoolTarget
	if leaves != nil {
		draining := leaves.PoolTarget
		draining.Draining = true
		all = append(all, draining)
	}
	for _, t := range m.live {
		all = append(all, t.PoolTarget)
	}
	m.engine.Apply(frontSnapshot(all...))
}

// end closes a target once it is idle, as a drained task is stopped.
func (m *mover) end(t *moved) {
	for m.engine.InFlight(t.Key) > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	t.server.Close()
}

// answer says back what it is sent.
func answer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		// Read first: the server drops what is unread once an answer begins.
		if all, err := io.ReadAll(r.Body); err == nil {
			_, _ = w.Write(all)
		}
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// user asks in one way, again and again.
type user struct {
	name         string
	ask          func(ctx context.Context, at string) error
	made, failed atomic.Int64
	first        atomic.Value // text of a failure
}

func (u *user) until(ctx context.Context, over *atomic.Bool, at string) {
	for !over.Load() && ctx.Err() == nil {
		u.made.Add(1)
		if err := u.ask(ctx, at); err != nil {
			u.failed.Add(1)
			u.first.Store(err.Error())
		}
	}
}

func get(ctx context.Context, at string) error { return send(ctx, http.MethodGet, at, "") }

func post(ctx context.Context, at string) error {
	return send(ctx, http.MethodPost, at, strings.Repeat("x", 1000))
}

func send(ctx context.Context, method, at, body string) error {
	// No GetBody: the client must not send it again by itself.
	r, err := http.NewRequestWithContext(ctx, method, "http://"+at+"/", io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return err
	}
	r.ContentLength = int64(len(body))
	if body == "" {
		r.Body = nil
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err == nil && (a.StatusCode != http.StatusOK || string(got) != body) {
		err = fmt.Errorf("answer %s with %d bytes", a.Status, len(got))
	}
	return err
}

// talk holds a conversation that outlasts a change.
func talk(ctx context.Context, at string) error {
	c, _, err := websocket.Dial(ctx, "ws://"+at+"/", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for range 30 {
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			return err
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != "hello" {
			return errors.Join(err, fmt.Errorf("got %q", got))
		}
		time.Sleep(50 * time.Millisecond)
	}
	return c.Close(websocket.StatusNormalClosure, "")
}
