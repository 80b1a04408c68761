// Package rotation rotates secrets: it calls the function that a secret names, step
// by step, at the address that the operator gives for it, and begins the rotations
// that schedules ask for. A step is written down as done when the function says so,
// so that each is called at least once, as on AWS.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
package rotation

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/store"
)

const (
	// maxCall is how long a function may take, as on AWS.
	maxCall = 15 * time.Minute
	// pauses between calls of a step that fails begin with firstRetry and double
	// up to lastRetry. A rotation is tried until it is cancelled.
	firstRetry = time.Second
	lastRetry  = time.Hour
	// rest is how long to wait after an answer that could not be written.
	rest = time.Second
)

// Rotator calls functions.
type Rotator struct {
	Store store.Store
	// Addresses are the URLs that answer for functions, by ARN.
	Addresses map[string]string
	Log       *slog.Logger
	Now       func() time.Time

	client http.Client
	calls  sync.WaitGroup
	done   chan string
	open   map[string]bool // keys of secrets that rotate, now or some time
	busy   map[string]bool // keys of secrets whose function is being called
}

// Run works until ctx ends. Calls under way are given up then, and made again by
// the next Run.
func (r *Rotator) Run(ctx context.Context) {
	r.client.Timeout = maxCall
	r.done, r.open, r.busy = make(chan string), map[string]bool{}, map[string]bool{}
	v, watch := r.Store.Watch(store.Secrets.Topic())
	defer r.calls.Wait()
	defer watch.Close()
	for s := range store.Secrets.All(v) {
		r.note(s)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-r.done:
			delete(r.busy, key)
		case <-watch.Ready():
			for _, e := range watch.Take().Events {
				if old, next, _ := store.Secrets.Of(e); next != nil {
					r.note(next)
				} else if old != nil {
					delete(r.open, keyOf(old))
				}
			}
		case <-timer.C:
		}
		if next := r.callDue(ctx); !next.IsZero() {
			timer.Reset(next.Sub(r.Now()))
		}
	}
}

func keyOf(s *secret.Secret) string { return store.ScopeKey(s.Scope, s.Name) }

// note remembers whether a secret rotates.
func (r *Rotator) note(s *secret.Secret) {
	if dueAt(s).IsZero() {
		delete(r.open, keyOf(s))
	} else {
		r.open[keyOf(s)] = true
	}
}

// dueAt is when there is something to do for a secret; zero for never.
func dueAt(s *secret.Secret) time.Time {
	switch {
	case s.Deleting() || !s.Rotation.Enabled:
		return time.Time{}
	case s.Rotation.Run != nil:
		return s.Rotation.Run.CallAt
	}
	return s.Rotation.NextAt
}

// callDue begins the calls that are due, and returns when the next is; zero for
// never.
func (r *Rotator) callDue(ctx context.Context) (next time.Time) {
	v, now := r.Store.View(), r.Now()
	for key := range r.open {
		s, ok := store.Secrets.Get(v, key)
		if !ok || r.busy[key] {
			continue
		}
		switch at := dueAt(s); {
		case at.IsZero():
		case now.Before(at):
			if next.IsZero() || at.Before(next) {
				next = at
			}
		default:
			r.begin(ctx, s)
		}
	}
	return next
}

// begin does what is due for a secret beside the loop.
func (r *Rotator) begin(ctx context.Context, s *secret.Secret) {
	key := keyOf(s)
	r.busy[key] = true
	r.calls.Go(func() {
		r.act(ctx, s)
		select {
		case r.done <- key:
		case <-ctx.Done():
		}
	})
}

// act begins a rotation that a schedule asks for, or does the next step of one.
func (r *Rotator) act(ctx context.Context, s *secret.Secret) {
	run := s.Rotation.Run
	if run == nil {
		id := uuid.NewString()
		r.settle(ctx, s, func(have *secret.Secret, now time.Time) *secret.Secret { return have.Rotating(id, now) })
		return
	}
	err := r.call(ctx, s)
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("a rotation's function failed", "secret", s.ARN, "step", run.Step, "function", s.Rotation.LambdaARN, "err", err)
	}
	r.settle(ctx, s, func(have *secret.Secret, now time.Time) *secret.Secret {
		if err == nil {
			if next, ok := have.Stepped(now); ok {
				return next
			}
		}
		return delayed(have, now)
	})
}

// delayed puts the next call of a step off.
func delayed(have *secret.Secret, now time.Time) *secret.Secret {
	next, run := *have, *have.Rotation.Run
	run.CallAt = now.Add(min(firstRetry<<min(run.Missed, 20), lastRetry))
	run.Missed++
	next.Rotation.Run = &run
	return &next
}

// settle writes what became of a secret, however often it takes, unless its
// rotation is another one by now.
func (r *Rotator) settle(ctx context.Context, seen *secret.Secret, change func(*secret.Secret, time.Time) *secret.Secret) {
	for ctx.Err() == nil {
		_, err := r.Store.Update(ctx, func(tx *store.Tx) error {
			have, ok := store.Secrets.Get(tx, keyOf(seen))
			if ok && have.ARN == seen.ARN && have.Rotation.Enabled && !have.Deleting() && sameRun(have.Rotation.Run, seen.Rotation.Run) {
				store.Secrets.Put(tx, change(have, r.Now()))
			}
			return nil
		})
		if err == nil {
			return
		}
		r.Log.Warn("what became of a rotation could not be kept", "secret", seen.ARN, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

func sameRun(a, b *secret.Run) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.VersionID == b.VersionID && a.Step == b.Step
}
