package logger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/logs/spool"
)

// recording is a container whose output is recorded.
type recording struct {
	container spool.Container
	log       *slog.Logger
	streams   []*stream
	over      chan struct{} // closed when nobody writes any more
	once      sync.Once
	end       chan struct{} // closed when all streams have ended
}

func newRecording(c spool.Container, log *slog.Logger) (*recording, error) {
	terms, err := c.Terms()
	if err != nil {
		return nil, err
	}
	r := &recording{container: c, log: log, over: make(chan struct{}), end: make(chan struct{})}
	for _, name := range spool.Streams() {
		s, err := openStream(c, name, terms, time.Now)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.streams = append(r.streams, s)
	}
	return r, nil
}

// finish says that nobody writes any more.
func (r *recording) finish() { r.once.Do(func() { close(r.over) }) }

func (r *recording) ended() bool {
	select {
	case <-r.end:
		return true
	default:
		return false
	}
}

// run records until the container is over and its FIFOs are empty, or ctx ends.
func (r *recording) run(ctx context.Context) {
	defer close(r.end)
	var running sync.WaitGroup
	for _, s := range r.streams {
		running.Go(func() {
			if err := s.run(ctx, r.over); err != nil && ctx.Err() == nil {
				r.log.Error("record a stream", "container", r.container.ID, "stream", s.name, "error", err)
			}
		})
	}
	running.Wait()
	err := r.close()
	if ctx.Err() == nil && r.container.Exists() {
		err = errors.Join(err, r.container.SetDone())
	}
	if err != nil {
		r.log.Error("end a recording", "container", r.container.ID, "error", err)
	}
}

func (r *recording) close() (err error) {
	for _, s := range r.streams {
		err = errors.Join(err, s.close())
	}
	return err
}
