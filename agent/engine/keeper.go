package engine

import (
	"context"
	"sync"
	"time"

	"github.com/berthhq/berth/domain/task"
)

// keeper keeps one task. Its goroutine alone touches record; others hand it
// functions to run, through inbox, and read snapshot under the engine's mutex.
type keeper struct {
	e      *Engine
	record *record
	inbox  chan func()
	ended  chan struct{} // closed when the task has stopped

	ctx         context.Context // ends when the engine closes or forgets the task
	cancel      context.CancelFunc
	pulls       context.Context // ends when the task shall stop
	cancelPulls context.CancelFunc
	doing       sync.WaitGroup // actions and watches under way
	written     []byte         // what the journal holds

	// Guarded by the engine's mutex.
	snapshot snapshot
	unsent   []task.Observation
	told     *task.Observation // what the servers know; nil after a restart
}

func (e *Engine) newKeeper(r *record) *keeper {
	k := &keeper{e: e, record: r, inbox: make(chan func(), 16), ended: make(chan struct{})}
	k.ctx, k.cancel = context.WithCancel(e.ctx)
	k.pulls, k.cancelPulls = context.WithCancel(k.ctx)
	k.snapshot = r.snapshot(task.Pending)
	if !r.StoppedAt.IsZero() {
		k.snapshot = r.snapshot(task.Stopped)
		close(k.ended)
	}
	return k
}

// run decides and acts until the task has stopped, and answers afterwards until
// the engine closes.
func (k *keeper) run() {
	defer k.cancel()
	defer k.doing.Wait()
	for k.ctx.Err() == nil {
		wake := k.settle()
		timer, stop := k.alarm(wake)
		select {
		case f := <-k.inbox:
			f()
			k.drain()
		case <-timer:
		case <-k.ctx.Done():
		}
		stop()
	}
}

// drain runs what else has come, so that one decision covers it all.
func (k *keeper) drain() {
	for {
		select {
		case f := <-k.inbox:
			f()
		default:
			return
		}
	}
}

// settle decides until nothing is left to begin, writes down and reports where the
// task is, and says when to ask again; zero is never.
func (k *keeper) settle() time.Time {
	if !k.record.StoppedAt.IsZero() {
		k.publish(task.Stopped)
		return time.Time{}
	}
	for {
		now := k.e.config.Now()
		d := task.Next(&k.record.Local, now)
		again := false
		for _, a := range d.Actions {
			again = k.begin(a) || again
		}
		if again {
			continue // a decision that changes what the next one sees
		}
		if d.Status == task.Stopped {
			k.record.StoppedAt = now
		}
		k.write(d.Status == task.Stopped)
		k.publish(d.Status)
		if d.Status == task.Stopped {
			close(k.ended)
		}
		return d.Wake
	}
}

func (k *keeper) write(durable bool) {
	data, err := k.e.journal.save(k.record, k.written, durable)
	if err != nil {
		k.e.log.Error("cannot write a task's journal", "task", k.record.Local.Order.ARN, "error", err)
		return
	}
	k.written = data
}

func (k *keeper) alarm(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(at.Sub(k.e.config.Now()))
	return t.C, func() { t.Stop() }
}

// do runs an action in the background; what it returns is run by the keeper.
func (k *keeper) do(action func(ctx context.Context) (outcome func())) {
	k.doing.Go(func() {
		if outcome := action(k.ctx); outcome != nil {
			k.tell(outcome)
		}
	})
}

// tell hands the keeper a function to run; it is dropped when the engine closes.
func (k *keeper) tell(f func()) {
	select {
	case k.inbox <- f:
	case <-k.ctx.Done():
	}
}

// ask has the keeper run f and write down what changed.
func (k *keeper) ask(f func()) error {
	done := make(chan struct{})
	k.tell(func() { f(); k.write(true); close(done) })
	select {
	case <-done:
		return nil
	case <-k.ctx.Done():
		return ErrClosed
	}
}

func (k *keeper) wantStop(code, reason string) {
	l := &k.record.Local
	if l.StopWanted {
		return
	}
	l.StopWanted, l.StopCode, l.StopReason = true, code, reason
	k.stopping()
}

// stopping notes that the task's execution ends: now, or when the first essential
// container that had ended did.
func (k *keeper) stopping() {
	k.cancelPulls()
	if !k.record.ExecutionStoppedAt.IsZero() {
		return
	}
	for i := range k.record.Local.Containers {
		c := &k.record.Local.Containers[i]
		switch {
		case c.StartedAt.IsZero():
			continue
		case c.Phase == task.PhaseExited && k.order(i).Essential:
			k.record.ExecutionStoppedAt = c.ExitedAt
			return
		}
		k.record.ExecutionStoppedAt = k.e.config.Now()
	}
}

// renew takes over what may change in an order.
func (k *keeper) renew(o *task.Order) {
	for _, c := range []*task.Credentials{o.TaskRole, o.ExecutionRole} {
		if c != nil {
			k.renewCredentials(c)
		}
	}
	if o.Interface != nil {
		if err := k.e.config.Network.Secure(k.ctx, o.ARN, o.Interface.SecurityGroups); err != nil {
			k.e.log.Warn("cannot apply new security groups", "task", o.ARN, "error", err)
		}
	}
	if o.Desired == task.Stopped {
		k.wantStop("", "")
	}
}

func (k *keeper) renewCredentials(c *task.Credentials) {
	o := *k.record.Local.Order
	switch {
	case o.TaskRole != nil && o.TaskRole.ID == c.ID:
		o.TaskRole = c
	case o.ExecutionRole != nil && o.ExecutionRole.ID == c.ID:
		o.ExecutionRole = c
	default:
		return
	}
	k.record.Local.Order = &o
	k.e.mu.Lock()
	k.e.learn(&o)
	k.e.mu.Unlock()
}
