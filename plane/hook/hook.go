// Package hook calls the functions that lifecycle hooks of deployments name, at the
// addresses that the operator gives for them, and writes down what they answer. The
// planner says in the rollout that a call is due; a call stays due until its answer
// is written, so that each is made at least once.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html
package hook

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plane/function"
	"github.com/berthhq/berth/store"
)

const (
	// pauseBefore is when a function that has not finished is called again.
	pauseBefore = 30 * time.Second
	// maxMissed is how many calls in a row may reach nobody; the pauses between
	// them begin with firstRetry and double.
	maxMissed  = 5
	firstRetry = time.Second
)

// Caller calls functions.
type Caller struct {
	Store     store.Store
	Addresses function.Addresses
	Log       *slog.Logger
	Now       func() time.Time
}

// Run calls what is due until ctx ends. Calls under way are given up then, and made
// again by the next Run.
func (c *Caller) Run(ctx context.Context) {
	loop := function.Loop[service.Rollout]{
		Store: c.Store, Table: store.Rollouts, Due: c.due, Now: c.Now,
		Open: func(r *service.Rollout) bool { return slices.ContainsFunc(r.Hooks, callable) },
	}
	loop.Run(ctx)
}

func callable(h service.HookRun) bool { return h.Status == service.HookInProgress }

// due are the functions of a rollout to call; none once its service was deleted, for
// the rollout goes next.
func (c *Caller) due(v *store.View, r *service.Rollout) (out []function.Errand) {
	s, ok := store.Services.Get(v, r.ServiceARN)
	if !ok {
		return nil
	}
	for _, h := range r.Hooks {
		if callable(h) {
			out = append(out, function.Errand{ID: h.ID, At: h.NextCallAt, Do: func(ctx context.Context) { c.call(ctx, s, r, &h) }})
		}
	}
	return out
}

// call calls one function and writes down what it says.
func (c *Caller) call(ctx context.Context, s *service.Service, r *service.Rollout, h *service.HookRun) {
	target := r.Configuration.Hooks[h.Hook].Target
	a := c.ask(ctx, target, eventOf(s, r, h))
	if a.err != nil && ctx.Err() == nil {
		c.Log.Warn("a lifecycle hook's function gave no answer", "deployment", r.ARN, "stage", r.Stage, "function", target, "err", a.err)
	}
	function.Keep(ctx, c.Store, func(tx *store.Tx) { settle(tx, r.ARN, h.ID, a, c.Now()) }, func(err error) {
		c.Log.Warn("the answer of a lifecycle hook could not be kept", "hook", h.ID, "err", err)
	})
}

// settle writes an answer down, unless nobody waits for it any more.
func settle(tx *store.Tx, key, id string, a answer, now time.Time) {
	have, ok := store.Rollouts.Get(tx, key)
	if !ok {
		return
	}
	i := slices.IndexFunc(have.Hooks, func(h service.HookRun) bool { return h.ID == id && callable(h) })
	if i < 0 {
		return
	}
	next := *have
	next.Hooks = slices.Clone(have.Hooks)
	a.apply(&next.Hooks[i], now)
	store.Rollouts.Put(tx, &next)
}
