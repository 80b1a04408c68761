// Package hook calls the functions that lifecycle hooks of deployments name, at the
// addresses that the operator gives for them, and writes down what they answer. The
// planner says in the rollout that a call is due; a call stays due until its answer
// is written, so that each is made at least once.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
package hook

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

const (
	// maxCall is how long a function may take, as on AWS.
	maxCall = 15 * time.Minute
	// pauseBefore is when a function that has not finished is called again.
	pauseBefore = 30 * time.Second
	// maxMissed is how many calls in a row may reach nobody; the pauses between
	// them begin with firstRetry and double.
	maxMissed  = 5
	firstRetry = time.Second
	// rest is how long to wait after an answer that could not be written.
	rest = time.Second
)

// Caller calls functions.
type Caller struct {
	Store store.Store
	// Addresses are the URLs that answer for functions, by ARN.
	Addresses map[string]string
	Log       *slog.Logger
	Now       func() time.Time

	client http.Client
	calls  sync.WaitGroup
	done   chan string
	open   map[string]bool // ARNs of rollouts with functions to call
	busy   map[string]bool // ids of hooks that are being called
}

// Run calls what is due until ctx ends. Calls under way are given up then, and made
// again by the next Run.
func (c *Caller) Run(ctx context.Context) {
	c.client.Timeout = maxCall
	c.done, c.open, c.busy = make(chan string), map[string]bool{}, map[string]bool{}
	v, watch := c.Store.Watch(store.Rollouts.Topic())
	defer c.calls.Wait()
	defer watch.Close()
	for r := range store.Rollouts.All(v) {
		c.note(r)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-c.done:
			delete(c.busy, id)
		case <-watch.Ready():
			for _, e := range watch.Take().Events {
				if old, next, _ := store.Rollouts.Of(e); next != nil {
					c.note(next)
				} else if old != nil {
					delete(c.open, old.ARN)
				}
			}
		case <-timer.C:
		}
		if next := c.callDue(ctx); !next.IsZero() {
			timer.Reset(next.Sub(c.Now()))
		}
	}
}

// note remembers whether a rollout has functions to call.
func (c *Caller) note(r *service.Rollout) {
	if slices.ContainsFunc(r.Hooks, callable) {
		c.open[r.ARN] = true
	} else {
		delete(c.open, r.ARN)
	}
}

func callable(h service.HookRun) bool { return h.Status == service.HookInProgress }

// callDue begins the calls that are due, and returns when the next is; zero for
// never.
func (c *Caller) callDue(ctx context.Context) (next time.Time) {
	v, now := c.Store.View(), c.Now()
	for key := range c.open {
		r, ok := store.Rollouts.Get(v, key)
		if !ok {
			continue
		}
		for _, h := range r.Hooks {
			switch {
			case !callable(h) || c.busy[h.ID]:
			case now.Before(h.NextCallAt):
				if next.IsZero() || h.NextCallAt.Before(next) {
					next = h.NextCallAt
				}
			default:
				c.begin(ctx, v, r, h)
			}
		}
	}
	return next
}

// begin calls one function beside the loop.
func (c *Caller) begin(ctx context.Context, v *store.View, r *service.Rollout, h service.HookRun) {
	s, ok := store.Services.Get(v, r.ServiceARN)
	if !ok {
		return // it was deleted, and the rollout goes next
	}
	c.busy[h.ID] = true
	def := &r.Configuration.Hooks[h.Hook]
	event := eventOf(s, r, &h)
	c.calls.Go(func() {
		a := c.call(ctx, c.Addresses[def.Target], event)
		if a.err != nil && ctx.Err() == nil {
			c.Log.Warn("a lifecycle hook's function gave no answer", "deployment", r.ARN, "stage", r.Stage, "function", def.Target, "err", a.err)
		}
		c.settle(ctx, r.ARN, h.ID, a)
		select {
		case c.done <- h.ID:
		case <-ctx.Done():
		}
	})
}

// settle writes an answer down, however often it takes, unless nobody waits for it
// any more.
func (c *Caller) settle(ctx context.Context, key, id string, a answer) {
	for ctx.Err() == nil {
		_, err := c.Store.Update(ctx, func(tx *store.Tx) error {
			have, ok := store.Rollouts.Get(tx, key)
			if !ok {
				return nil
			}
			i := slices.IndexFunc(have.Hooks, func(h service.HookRun) bool { return h.ID == id && callable(h) })
			if i < 0 {
				return nil
			}
			next := *have
			next.Hooks = slices.Clone(have.Hooks)
			a.apply(&next.Hooks[i], c.Now())
			store.Rollouts.Put(tx, &next)
			return nil
		})
		if err == nil {
			return
		}
		c.Log.Warn("the answer of a lifecycle hook could not be kept", "hook", id, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}
