package logs

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/logs/lines"
	"github.com/berthhq/berth/agent/logs/spool"
)

const (
	// gather is how long the first line of a batch waits for others.
	gather = 200 * time.Millisecond
	// idleJoin is how long an event of several lines waits for its next line.
	idleJoin = time.Second
	// readBytes is how much is read from a tape at once.
	readBytes = 1 << 20

	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// sink takes batches of one stream to where they belong. It may be called by
// several streams of a container at once.
type sink interface {
	// send returns when the batch is safe. An error means that it may not be, and
	// is tried again, unless it is an *already.
	send(ctx context.Context, stream string, b *lines.Batch) error
}

// already says that the output before an offset is safe although its batch was not
// taken.
type already struct{ offset int64 }

func (*already) Error() string { return "the batch was taken before, in part" }

// shipment is one container's output on its way.
type shipment struct {
	logs      *Logs
	container spool.Container
	order     Order
	driver    driver
	release   func() error  // of the held FIFOs
	done      chan struct{} // closed when all is shipped, or the agent stops

	mu      sync.Mutex
	problem string
	at      time.Time
	refused int64
	all     bool // everything is shipped
}

// newShipment holds the container's FIFOs until run has ended.
func newShipment(l *Logs, c spool.Container, order Order, d driver) (*shipment, error) {
	release, err := c.Hold()
	if err != nil {
		return nil, err
	}
	return &shipment{logs: l, container: c, order: order, driver: d, release: release, done: make(chan struct{})}, nil
}

// run ships until the container has ended and all its output is shipped, then
// frees its place in the spool.
func (s *shipment) run(ctx context.Context) {
	defer close(s.done)
	defer s.release()
	to, closeSink, err := s.openSinkPatiently(ctx)
	if err != nil {
		return
	}
	defer closeSink()
	if err := s.shipStreams(ctx, to); err != nil {
		if ctx.Err() == nil {
			s.logs.log.Error("ship a container's logs", "container", s.container.ID, "error", err)
		}
		return
	}
	s.reportLost()
	if err := s.container.Remove(); err != nil {
		s.logs.log.Error("free a container's logs", "container", s.container.ID, "error", err)
	}
	s.mu.Lock()
	s.all = true
	s.mu.Unlock()
}

func (s *shipment) shipStreams(ctx context.Context, to sink) error {
	errs := make(chan error, len(spool.Streams()))
	for _, name := range spool.Streams() {
		go func() { errs <- s.shipStream(ctx, name, to) }()
	}
	var failure error
	for range spool.Streams() {
		failure = errors.Join(failure, <-errs)
	}
	return failure
}

func (s *shipment) shipStream(ctx context.Context, name string, to sink) error {
	tape := s.container.Tape(name)
	reader, err := spool.NewReader(tape)
	if err != nil {
		return err
	}
	defer reader.Close()
	c := &carrier{shipment: s, name: name, to: to, reader: reader}
	if tapeChanges, err := s.logs.watch.Add(string(tape)); err == nil {
		defer tapeChanges.Close()
		c.changed = tapeChanges.Changed
	}
	if changes, err := s.logs.watch.Add(s.container.Dir()); err == nil {
		defer changes.Close()
		c.over = changes.Changed
	}
	if s.driver.aws != nil {
		c.joiner.Start = s.driver.aws.start
	}
	return c.run(ctx)
}

// openSinkPatiently tries until ctx ends.
func (s *shipment) openSinkPatiently(ctx context.Context) (sink, func(), error) {
	var pause backoff
	for {
		to, closeSink, err := s.openSink(ctx)
		if err == nil {
			return to, closeSink, nil
		}
		s.fail(err)
		if err := pause.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
}

func (s *shipment) openSink(ctx context.Context) (sink, func(), error) {
	if s.driver.aws != nil {
		cw := newCloudWatch(s.logs.config, s.logs.http, s.order, s.driver.aws)
		cw.refused = s.refuse
		// A container that prints nothing has its stream all the same. A failure
		// comes again with the first batch.
		if err := cw.ensure(ctx); err != nil {
			s.fail(err)
		}
		return cw, func() {}, nil
	}
	f, err := s.logs.files.open(s.logs.config.Files, s.order, *s.driver.file)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { s.logs.files.close(f) }, nil
}

// fail notes why shipping does not go on; nil notes that it does.
func (s *shipment) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.problem = ""
		return
	}
	if s.problem == "" {
		s.logs.log.Warn("cannot ship a container's logs; they wait on disk", "container", s.container.ID,
			"task", s.order.TaskID, "error", err)
	}
	s.problem, s.at = err.Error(), time.Now()
}

func (s *shipment) refuse(events int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused += events
}

func (s *shipment) shipped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

func (s *shipment) lost() (sum spool.Lost) {
	for _, name := range spool.Streams() {
		if lost, err := s.container.Tape(name).Lost(); err == nil {
			sum.Lines += lost.Lines
			sum.Bytes += lost.Bytes
		}
	}
	return sum
}

func (s *shipment) status() Status {
	lost := s.lost()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{Lost: lost, Refused: s.refused, Problem: s.problem, At: s.at}
}

func (s *shipment) reportLost() {
	if lost := s.lost(); lost.Bytes > 0 {
		s.logs.log.Warn("a container printed faster than its logs could be shipped; lines were dropped (mode non-blocking)",
			"container", s.container.ID, "task", s.order.TaskID, "lines", lost.Lines, "bytes", lost.Bytes)
	}
}

// backoff doubles, with a random half.
type backoff struct{ next time.Duration }

func (b *backoff) wait(ctx context.Context) error {
	b.next = min(max(2*b.next, firstBackoff), lastBackoff)
	timer := time.NewTimer(b.next/2 + rand.N(b.next/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
