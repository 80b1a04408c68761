// Package logs takes what containers print to where their task definition says:
// to CloudWatch Logs (awslogs), to a file (json-file), or nowhere (none).
//
// A logger process of its own records the output on disk, in a spool; this package
// keeps that process alive and ships what is recorded, from where it left off when
// the agent starts again. Lines reach berth's archive once: each batch says which
// bytes of the output it is, and the archive remembers how far each output has
// come.
//
// The engine calls Start before it creates a container and gives the two FIFOs to
// its shim, and End once the shim is gone.
package logs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/logs/spool"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Config is what Open needs.
type Config struct {
	// Dir is the spool's directory; it must be on a disk, not in memory.
	Dir string
	// Files is where json-file output goes: FILES/TASK/CONTAINER.log.
	Files string
	// Logger is the command that runs the logger process (see RunLogger) on Dir.
	Logger []string
	// Endpoint is the base URL of CloudWatch Logs, unless a container's
	// awslogs-endpoint names another.
	Endpoint string
	TLS      *tls.Config // towards Endpoint; nil for the system's trust
	// Keys gives the keys to sign a task's logs with: its execution role's where
	// it has one, else the instance's. An error is tried again.
	Keys func(ctx context.Context, taskARN string) (sigv4.Keys, error)
	Log  *slog.Logger
}

// Pipes are the paths a container's shim writes to; both are empty when the output
// goes nowhere.
type Pipes struct {
	Stdout string
	Stderr string
}

// Logs ships the output of a host's containers.
type Logs struct {
	config Config
	http   *http.Client
	root   spool.Root
	log    *slog.Logger
	watch  *spool.Watch
	lock   io.Closer
	files  *files
	stop   context.CancelFunc
	ctx    context.Context
	ends   sync.WaitGroup

	mu   sync.Mutex
	byID map[string]*shipment
}

// Open takes the spool for this process, starts the logger if it does not run, and
// goes on shipping what an earlier agent left.
func Open(c Config) (*Logs, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	root := spool.Root(c.Dir)
	lock, err := root.LockAgent()
	if err != nil {
		return nil, err
	}
	watch, err := spool.NewWatch()
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l := &Logs{config: c, http: newHTTPClient(c.TLS), root: root, log: c.Log, watch: watch, lock: lock, files: newFiles(), byID: map[string]*shipment{}}
	l.ctx, l.stop = context.WithCancel(context.Background())
	if err := l.adopt(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.ends.Go(func() { l.keepLogger(l.ctx) })
	return l, nil
}

// Close stops shipping. Containers go on printing and the logger recording; the
// next Open goes on.
func (l *Logs) Close() error {
	l.stop()
	l.ends.Wait()
	return errors.Join(l.watch.Close(), l.lock.Close())
}

// adopt takes up the containers in the spool.
func (l *Logs) adopt() error {
	if err := l.root.Sweep(); err != nil {
		return err
	}
	containers, err := l.root.Containers()
	if err != nil {
		return err
	}
	for _, c := range containers {
		var order Order
		err := c.ReadOrder(&order)
		if err == nil {
			var d driver
			if d, err = parse(order); err == nil {
				err = l.ship(c, order, d)
			}
		}
		if err != nil {
			l.log.Error("a container's logs cannot be shipped", "container", c.ID, "error", err)
		}
	}
	return nil
}

// Start prepares a container's output. It fails when the log configuration is
// wrong, and for a blocking awslogs driver also when its log stream cannot be made
// or may not be written.
func (l *Logs) Start(ctx context.Context, id string, order Order) (Pipes, error) {
	driver, err := parse(order)
	if err != nil {
		return Pipes{}, err
	}
	if driver.nowhere() {
		return Pipes{}, nil
	}
	if pipes, known, err := l.started(ctx, id); known || err != nil {
		return pipes, err
	}
	order.Producer = newProducer()
	if driver.aws != nil && driver.terms.Blocking {
		cw := newCloudWatch(l.config, l.http, order, driver.aws)
		if err := cw.ensurePatiently(ctx); err != nil {
			return Pipes{}, fmt.Errorf("failed to initialize logging driver: failed to create Cloudwatch log stream: %w", err)
		}
		if err := cw.probe(ctx); err != nil {
			return Pipes{}, fmt.Errorf("failed to initialize logging driver: %w", err)
		}
	}
	c, err := l.root.Make(id, driver.terms, order)
	if err != nil {
		return Pipes{}, err
	}
	if err := l.ship(c, order, driver); err != nil {
		return Pipes{}, errors.Join(err, c.Remove())
	}
	return pipesOf(c), nil
}

func pipesOf(c spool.Container) Pipes {
	return Pipes{Stdout: c.FIFO("stdout"), Stderr: c.FIFO("stderr")}
}

// freed is how long Start waits for an earlier use of an id to be shipped.
const freed = 5 * time.Second

// started finds a container that was started before, by an agent that ended before
// it created the container. If its logs were ended since, it waits until they are
// out of the way.
func (l *Logs) started(ctx context.Context, id string) (p Pipes, known bool, err error) {
	c := l.root.Container(id)
	// Asked in this order: the place goes before its end is forgotten.
	if over := c.Over(); !over && c.Exists() {
		return pipesOf(c), true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, freed)
	defer cancel()
	return p, false, l.Drained(ctx, id)
}

func (l *Logs) ship(c spool.Container, order Order, d driver) error {
	s, err := newShipment(l, c, order, d)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byID[c.ID] = s
	l.ends.Go(func() {
		s.run(l.ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.shipped() && l.byID[c.ID] == s { // the id may be in use again
			delete(l.byID, c.ID)
		}
	})
	return nil
}

// End says that a container's shim is gone. What it wrote is shipped in the
// background, and then its place in the spool is freed. An id without output is
// nothing to do.
func (l *Logs) End(id string) error {
	c := l.root.Container(id)
	if !c.Exists() {
		return nil
	}
	return c.SetOver()
}

// Drained waits until a container that has ended has all its output shipped.
func (l *Logs) Drained(ctx context.Context, id string) error {
	l.mu.Lock()
	s := l.byID[id]
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the logs of container %s are still being shipped: %w", id, ctx.Err())
	}
}

// Unended lists the containers that were started and not ended, for an engine that
// starts again to end those it no longer finds.
func (l *Logs) Unended() (ids []string, err error) {
	containers, err := l.root.Containers()
	for _, c := range containers {
		if !c.Over() {
			ids = append(ids, c.ID)
		}
	}
	return ids, err
}

// Status is how a container's logs are doing.
type Status struct {
	// Lost counts what a full buffer made the driver drop.
	Lost spool.Lost
	// Refused counts the events that CloudWatch Logs would not take.
	Refused int64
	// Problem is why the last attempt to ship failed; empty when it did not.
	Problem string
	// At is when Problem happened.
	At time.Time
}

// Status tells how a container's logs are doing; ok is false once they are all
// shipped.
func (l *Logs) Status(id string) (status Status, ok bool) {
	l.mu.Lock()
	s := l.byID[id]
	l.mu.Unlock()
	if s == nil {
		return Status{}, false
	}
	return s.status(), true
}
