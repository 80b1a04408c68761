package server

import (
	"context"

	"github.com/berthhq/berth/plane/hook"
	"github.com/berthhq/berth/plane/pulse"
	"github.com/berthhq/berth/plane/rotation"
	"github.com/berthhq/berth/plane/vault"
)

// loop is something that works until its context ends.
type loop struct {
	name string
	run  func(context.Context) error
}

// background are the loops of a server, all of them on this one while it is alone.
func (s *Server) background() []loop {
	endless := func(run func(context.Context)) func(context.Context) error {
		return func(ctx context.Context) error { run(ctx); return nil }
	}
	watch := &alarms{store: s.store, metrics: s.metrics, log: s.Log}
	hooks := &hook.Caller{Store: s.store, Addresses: s.Hooks, Log: s.Log, Now: s.Now}
	rotator := &rotation.Rotator{Store: s.store, Addresses: s.Hooks, Log: s.Log, Now: s.Now}
	upkeep := &vault.Upkeep{Vault: s.vault, Store: s.store, Log: s.Log, Now: s.Now}
	return []loop{
		{"control loop", func(ctx context.Context) error { return s.control.Run(ctx, s.Now) }},
		{"log archive", s.archive.Run},
		{"metrics", s.metrics.Run},
		{"alarms", endless(func(ctx context.Context) { watch.run(ctx, s.Now) })},
		{"history of tasks", s.history.Run},
		{"event bus", s.bus.Run},
		{"lifecycle hooks", endless(hooks.Run)},
		{"rotation of secrets", endless(rotator.Run)},
		{"health of instances", endless((&pulse.Pulse{Store: s.store, Log: s.Log}).Run)},
		{"vault", endless(upkeep.Run)},
		{"certificates", endless(s.renewCertificates)},
		{"what principals do", endless(s.witness.Run)},
	}
}

// startLoops runs them until ctx ends; s.loops waits for them. One that ends before
// is logged.
func (s *Server) startLoops(ctx context.Context) {
	for _, l := range s.background() {
		s.loops.Go(func() {
			if err := l.run(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error(l.name, "err", err)
			}
		})
	}
}
