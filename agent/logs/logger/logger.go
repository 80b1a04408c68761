// Package logger is the process that records what containers print. It outlives
// the agent: it reads the FIFOs of a spool and puts what comes on tapes, and knows
// nothing of where the lines go from there. One process serves all containers of
// an agent's data folder, because a process each would cost some ten megabytes.
//
// It may be killed at any moment. Whoever starts it again (the agent does, at
// once) loses no byte of what containers wrote: see the package spool.
package logger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/logs/spool"
)

// look is how often the spool is looked at even if nothing seems to have changed,
// and how long an idle logger outlives its agent at most.
const look = 2 * time.Second

// Run records until there is no container left and no agent, or ctx ends. If the
// spool has a logger already it returns at once, without an error.
func Run(ctx context.Context, root spool.Root, log *slog.Logger) (err error) {
	defer func() {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("the log spool was removed: %w", err)
		}
	}()
	lock, err := root.LockLogger()
	if errors.Is(err, spool.ErrHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	watch, err := spool.NewWatch()
	if err != nil {
		return err
	}
	defer watch.Close()
	dir, err := watch.Add(string(root))
	if err != nil {
		return err
	}
	d := &desk{root: root, log: log, recordings: map[string]*recording{}}
	return d.serve(ctx, dir)
}

// desk is the logger at work: one goroutine serves it, and one runs for each
// stream of each container.
type desk struct {
	root       spool.Root
	log        *slog.Logger
	recordings map[string]*recording
	running    sync.WaitGroup
}

func (d *desk) serve(ctx context.Context, dir *spool.Watched) error {
	ctx, stop := context.WithCancel(ctx)
	defer d.running.Wait()
	defer stop()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		err := d.look(ctx)
		if errors.Is(err, fs.ErrNotExist) {
			return err // see Run
		}
		if err != nil {
			d.log.Error("look for containers to record", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-dir.Changed:
		case <-ticker.C:
			if unused, err := d.unused(); unused || err != nil {
				return err
			}
		}
	}
}

// unused tells whether nobody needs this process any more.
func (d *desk) unused() (bool, error) {
	if len(d.recordings) > 0 {
		return false, nil
	}
	alive, err := d.root.AgentAlive()
	return !alive, err
}

// look takes up new containers, tells recordings that their container is over, and
// forgets those that ended.
func (d *desk) look(ctx context.Context) error {
	containers, err := d.root.Containers()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, c := range containers {
		there[c.ID] = true
		r := d.recordings[c.ID]
		if r == nil && !c.Done() {
			if r, err = d.begin(ctx, c); err != nil {
				d.log.Error("record a container", "container", c.ID, "error", err)
				continue
			}
		}
		if r != nil && c.Over() {
			r.finish()
		}
	}
	for id, r := range d.recordings {
		if !there[id] {
			r.finish() // the agent has thrown it away
		}
		if r.ended() {
			delete(d.recordings, id)
		}
	}
	return nil
}

func (d *desk) begin(ctx context.Context, c spool.Container) (*recording, error) {
	r, err := newRecording(c, d.log)
	if err != nil {
		return nil, fmt.Errorf("record container %s: %w", c.ID, err)
	}
	d.recordings[c.ID] = r
	d.running.Go(func() { r.run(ctx) })
	return r, nil
}
