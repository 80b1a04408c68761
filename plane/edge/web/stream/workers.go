package stream

import (
	"sync/atomic"
	"time"
)

// How many goroutines wait for the next request, and how long.
const (
	maxIdle  = 256
	lastIdle = time.Second
)

// Workers are the goroutines in which requests are served: one that has done its work
// takes the next, so that its stack need not grow again.
type Workers struct {
	next chan *Stream
	idle atomic.Int32
}

// NewWorkers makes Workers, which are shared by connections.
func NewWorkers() *Workers { return &Workers{next: make(chan *Stream)} }

// serve has a worker serve a request, a new one when none is idle.
func (w *Workers) serve(s *Stream) {
	select {
	case w.next <- s:
	default:
		go w.work(s)
	}
}

func (w *Workers) work(s *Stream) {
	for s != nil {
		s.conn.run(s)
		s = w.await()
	}
}

// await is the next request; nil when enough others wait, or none comes.
func (w *Workers) await() *Stream {
	defer w.idle.Add(-1)
	if w.idle.Add(1) > maxIdle {
		return nil
	}
	late := time.NewTimer(lastIdle)
	defer late.Stop()
	select {
	case s := <-w.next:
		return s
	case <-late.C:
		return nil
	}
}
