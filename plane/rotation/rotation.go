// Package rotation rotates secrets: it calls the function that a secret names, step
// by step, at the address that the operator gives for it, and begins the rotations
// that schedules ask for. A step is written down as done when the function says so,
// so that each is called at least once, as on AWS.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
package rotation

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/plane/function"
	"github.com/berthhq/berth/store"
)

const (
	// pauses between calls of a step that fails begin with firstRetry and double
	// up to lastRetry. A rotation is tried until it is cancelled.
	firstRetry = time.Second
	lastRetry  = time.Hour
)

// Rotator calls functions.
type Rotator struct {
	Store     store.Store
	Addresses function.Addresses
	Log       *slog.Logger
	Now       func() time.Time
}

// Run works until ctx ends. Calls under way are given up then, and made again by
// the next Run.
func (r *Rotator) Run(ctx context.Context) {
	loop := function.Loop[secret.Secret]{
		Store: r.Store, Table: store.Secrets, Due: r.due, Now: r.Now,
		Open: func(s *secret.Secret) bool { return !dueAt(s).IsZero() },
	}
	loop.Run(ctx)
}

// due is what there is to do for a secret.
func (r *Rotator) due(_ *store.View, s *secret.Secret) []function.Errand {
	at := dueAt(s)
	if at.IsZero() {
		return nil
	}
	return []function.Errand{{ID: keyOf(s), At: at, Do: func(ctx context.Context) { r.act(ctx, s) }}}
}

func keyOf(s *secret.Secret) string { return store.ScopeKey(s.Scope, s.Name) }

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

// settle writes what became of a secret, unless its rotation is another one by now.
func (r *Rotator) settle(ctx context.Context, seen *secret.Secret, change func(*secret.Secret, time.Time) *secret.Secret) {
	function.Keep(ctx, r.Store, func(tx *store.Tx) {
		have, ok := store.Secrets.Get(tx, keyOf(seen))
		if ok && have.ARN == seen.ARN && have.Rotation.Enabled && !have.Deleting() && sameRun(have.Rotation.Run, seen.Rotation.Run) {
			store.Secrets.Put(tx, change(have, r.Now()))
		}
	}, func(err error) {
		r.Log.Warn("what became of a rotation could not be kept", "secret", seen.ARN, "err", err)
	})
}

func sameRun(a, b *secret.Run) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.VersionID == b.VersionID && a.Step == b.Step
}
