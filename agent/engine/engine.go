// Package engine runs tasks on this machine: one goroutine for each, which asks
// domain/task's pure step what to do next, does it through the runtime, the
// network, the volumes and the logs, and writes down what came of it.
//
// Everything known of a task is in its journal on disk before anybody is told, so
// that an engine that was killed goes on where it was.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/berthhq/berth/agent/cgroup"
	"github.com/berthhq/berth/agent/ledger"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/domain/task"
)

// Config says what an engine works with.
type Config struct {
	Dir     string // of the journal and the files that containers mount
	Runtime Runtime
	Cgroups *cgroup.Tree
	Group   string // cgroup above all tasks
	// HostGroup is the group of the unified cgroup tree that tasks in host network
	// mode join; empty for none. See network.HostTasks.
	HostGroup string
	Network   Network
	Volumes   Volumes
	Images    Images
	Logs      Logs
	Ledger    *ledger.Ledger

	// Environment are the variables that lead a container to its metadata; nil for
	// none.
	Environment func(o *task.Order, container string) map[string]string
	// Secrets fetches secrets, environment files and registry passwords; nil
	// refuses tasks that want any.
	Secrets Secrets
	// SecretsEvery is how often secrets that containers see as files are fetched
	// again; 30 s when 0.
	SecretsEvery time.Duration
	// MetadataID is the id under which a container finds its metadata; nil for
	// none.
	MetadataID func(arn, container string) string

	// WithoutSandbox runs tasks that should have a kernel of their own on the
	// host's, as the operator asked for.
	WithoutSandbox bool
	// AllowPrivileged lets containers be privileged or see the host's processes.
	AllowPrivileged bool
	StopTimeout     time.Duration // for containers that name none; 30 s when 0
	// Remember is how long a stopped task is known, for late questions and repeated
	// orders; an hour when 0.
	Remember time.Duration
	// LogsEvery is how often it is looked whether logs are shipped; 5 s when 0.
	LogsEvery time.Duration
	// Starts is how many containers are made at the same time; twice the number of
	// processors when 0.
	Starts int

	Now func() time.Time // time.Now when nil
	Log *slog.Logger
}

// Engine runs tasks. It is safe for concurrent use.
type Engine struct {
	config  Config
	journal journal
	log     *slog.Logger
	starts  chan struct{}
	asking  singleflight.Group // for what containers are told in confidence, by task ARN

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	keepers map[string]*keeper       // by task ARN
	news    *sync.Cond               // told when a keeper has something to report
	credits map[string]credit        // by credentials id
	ids     map[string]owner         // by metadata id
	told    map[string]secret.Values // by task ARN, of tasks that want any and run
}

// Open reads the journal and takes up the tasks in it: containers that run are
// adopted, what was under way is done again, what belongs to no task is removed.
func Open(ctx context.Context, config Config) (*Engine, error) {
	config.complete()
	e := &Engine{config: config, journal: journal{dir: filepath.Join(config.Dir, "tasks")}, log: config.Log,
		starts: make(chan struct{}, config.Starts), keepers: map[string]*keeper{}, credits: map[string]credit{}, ids: map[string]owner{}, told: map[string]secret.Values{}}
	e.news = sync.NewCond(&e.mu)
	e.ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	records, err := e.journal.load()
	if err != nil {
		return nil, fmt.Errorf("read the journal of tasks: %w", err)
	}
	if err := e.adopt(ctx, records); err != nil {
		e.stop()
		return nil, err
	}
	e.work.Go(e.forgetful)
	e.work.Go(e.watchLogs)
	return e, nil
}

func (c *Config) complete() {
	if c.StopTimeout == 0 {
		c.StopTimeout = 30 * time.Second
	}
	if c.Remember == 0 {
		c.Remember = time.Hour
	}
	if c.Starts == 0 {
		c.Starts = 2 * goruntime.NumCPU()
	}
	if c.LogsEvery == 0 {
		c.LogsEvery = 5 * time.Second
	}
	if c.SecretsEvery == 0 {
		c.SecretsEvery = 30 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

// Close lets go of all tasks and leaves them running. Reports ends.
func (e *Engine) Close() error {
	e.stop()
	e.mu.Lock()
	e.news.Broadcast()
	e.mu.Unlock()
	e.work.Wait()
	return nil
}

// ErrClosed is what a closed engine answers.
var ErrClosed = errors.New("the engine is closed")

// Apply takes an order: a new task is started, a known one stopped when the order
// wants that, and credentials are renewed. When it returns nil the order is on
// disk. The same order may come any number of times.
func (e *Engine) Apply(o *task.Order) error {
	e.mu.Lock()
	if e.ctx.Err() != nil {
		e.mu.Unlock()
		return ErrClosed
	}
	k, known := e.keepers[o.ARN]
	if !known {
		k = e.newKeeper(newRecord(o))
		data, err := e.journal.save(k.record, nil, true)
		if err != nil {
			e.mu.Unlock()
			return fmt.Errorf("keep the order of task %s: %w", o.ARN, err)
		}
		k.written = data
		e.launch(k)
		e.mu.Unlock()
		return nil
	}
	if k.snapshot.Status == task.Stopped {
		k.repeat() // who orders it still does not know
		e.mu.Unlock()
		return nil
	}
	e.learn(o)
	e.mu.Unlock()
	return k.ask(func() { k.renew(o) })
}

// Stop ends a task that the servers do not want any more. An unknown task is no
// error.
func (e *Engine) Stop(arn, reason string) error {
	k := e.keeper(arn)
	if k == nil {
		return nil
	}
	return k.ask(func() { k.wantStop("", reason) })
}

// Renew gives a task new credentials of a role: those with the id it has.
func (e *Engine) Renew(arn string, c *task.Credentials) error {
	k := e.keeper(arn)
	if k == nil {
		return fmt.Errorf("no such task: %s", arn)
	}
	return k.ask(func() { k.renewCredentials(c) })
}

// StopAll stops every task and waits until all have ended or ctx has.
func (e *Engine) StopAll(ctx context.Context, reason string) error {
	var keepers []*keeper
	e.mu.Lock()
	for _, k := range e.keepers {
		keepers = append(keepers, k)
	}
	e.mu.Unlock()
	for _, k := range keepers {
		if err := k.ask(func() { k.wantStop(task.StopTerminationNotice, reason) }); err != nil {
			return err
		}
	}
	for _, k := range keepers {
		select {
		case <-k.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Tasks lists the ARNs of the tasks that are not stopped yet.
func (e *Engine) Tasks() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for arn, k := range e.keepers {
		if k.snapshot.Status != task.Stopped {
			out = append(out, arn)
		}
	}
	slices.Sort(out)
	return out
}

func (e *Engine) keeper(arn string) *keeper {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keepers[arn]
}

// launch begins to keep a task; e.mu is held.
func (e *Engine) launch(k *keeper) {
	e.keepers[k.record.Local.Order.ARN] = k
	e.learn(k.record.Local.Order)
	e.work.Go(k.run)
}

// forgetful drops stopped tasks when nobody will ask for them any more.
func (e *Engine) forgetful() {
	tick := time.NewTicker(max(e.config.Remember/10, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
			e.forget(e.config.Now().Add(-e.config.Remember))
		}
	}
}

func (e *Engine) forget(before time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for arn, k := range e.keepers {
		at := k.snapshot.StoppedAt
		if at.IsZero() || at.After(before) || len(k.unsent) > 0 {
			continue
		}
		if err := e.journal.remove(k.snapshot.Order.ID); err != nil {
			e.log.Warn("cannot forget a stopped task", "task", arn, "error", err)
			continue
		}
		k.cancel()
		delete(e.keepers, arn)
		e.unlearn(k.snapshot.Order)
	}
}
