package logs

import (
	"context"
	"errors"
	"time"

	"github.com/berthhq/berth/agent/logs/lines"
	"github.com/berthhq/berth/agent/logs/spool"
)

// carrier ships one stream of a container, in one goroutine.
type carrier struct {
	*shipment
	name    string
	to      sink
	reader  *spool.Reader
	changed <-chan struct{} // the tape grew
	over    <-chan struct{} // the container's directory changed

	cutter lines.Cutter
	joiner lines.Joiner
	ready  []lines.Event // cut and joined, not yet in the batch
	batch  lines.Batch
	since  time.Time // when the batch got its first event
	heard  time.Time // when the last line came
	stamp  int64     // time of the last line whose time was known
	again  bool      // reading began anew at another offset
	buffer []byte
}

// run returns without an error when all of the stream is shipped.
func (c *carrier) run(ctx context.Context) error {
	c.seek(c.reader.At())
	for {
		// Asked before reading, so that what came before it is read.
		ended := c.container.Done()
		n, err := c.read()
		if err != nil {
			return err
		}
		if n == 0 && ended {
			c.flushAll()
		}
		if err := c.fill(ctx); err != nil {
			return err
		}
		if n == 0 {
			if err := c.shipIfDue(ctx, ended); err != nil {
				return err
			}
		}
		if n > 0 || c.again {
			c.again = false
			continue
		}
		if ended && c.batch.Empty() && len(c.ready) == 0 {
			return nil
		}
		if !ended {
			if err := c.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// seek begins at an offset where a line begins.
func (c *carrier) seek(offset int64) {
	c.cutter.SeekTo(offset)
	c.joiner.Drop()
	c.ready = nil
	c.batch.Restart(offset)
}

// read cuts what came next into events.
func (c *carrier) read() (n int, err error) {
	c.buffer, n, err = c.reader.Read(c.buffer[:0], readBytes)
	if err != nil || n == 0 {
		return n, err
	}
	c.heard = time.Now()
	c.cutter.Add(c.buffer, c.timeOf, c.join)
	return n, nil
}

// timeOf is when the byte before an offset came. The end of a line that never ended
// may lie on a part of the tape that is closed; it came with what was last read.
func (c *carrier) timeOf(offset int64) int64 {
	if at := c.reader.TimeOf(offset); at != 0 {
		c.stamp = at
	}
	return c.stamp
}

func (c *carrier) join(line lines.Event) { c.joiner.Add(line, c.emit) }

func (c *carrier) emit(e lines.Event) { c.ready = append(c.ready, e) }

// flushAll emits what will not go on any more.
func (c *carrier) flushAll() {
	c.cutter.Flush(c.timeOf, c.join)
	c.joiner.Flush(c.emit)
}

// fill moves events into the batch, sending each that is full.
func (c *carrier) fill(ctx context.Context) error {
	for len(c.ready) > 0 {
		e := c.ready[0]
		if !c.batch.Fits(e) {
			if err := c.send(ctx); err != nil {
				return err
			}
			continue // after a send the rest may have changed
		}
		if c.batch.Empty() {
			c.since = time.Now()
		}
		c.batch.Add(e)
		c.ready = c.ready[1:]
	}
	c.ready = nil
	return nil
}

// shipIfDue sends the batch when it has waited enough, and settles what held
// nothing to send.
func (c *carrier) shipIfDue(ctx context.Context, ended bool) error {
	if c.joiner.Holding() && time.Since(c.heard) >= idleJoin {
		c.joiner.Flush(c.emit)
		if err := c.fill(ctx); err != nil {
			return err
		}
	}
	if !c.batch.Empty() {
		if ended || time.Since(c.since) >= gather {
			return c.send(ctx)
		}
		return nil
	}
	if !c.joiner.Holding() && c.cutter.Settled() > c.batch.From {
		c.batch.Restart(c.cutter.Settled())
		return c.reader.Done(c.cutter.Settled())
	}
	return nil
}

// wait returns when there may be something to do.
func (c *carrier) wait(ctx context.Context) error {
	timer := time.NewTimer(c.patience())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.changed:
	case <-c.over:
	case <-timer.C:
	}
	return nil
}

// patience is how long to wait for a change: until what has begun has waited
// enough, and never for ever, lest a missed hint stops a stream.
func (c *carrier) patience() time.Duration {
	wait := 5 * time.Second
	if c.changed == nil || c.over == nil {
		wait = gather // the host's watches are used up
	}
	if at, some := c.due(); some {
		wait = min(wait, time.Until(at))
	}
	return wait
}

// due is when the batch, or the event that is being joined, has waited enough.
func (c *carrier) due() (at time.Time, some bool) {
	if !c.batch.Empty() {
		return c.since.Add(gather), true
	}
	return c.heard.Add(idleJoin), c.joiner.Holding()
}

// send ships the batch, trying until it is safe or ctx ends, and begins the next.
func (c *carrier) send(ctx context.Context) error {
	var pause backoff
	for {
		err := c.to.send(ctx, c.name, &c.batch)
		if err == nil {
			c.fail(nil)
			through := c.batch.Through
			c.batch.Restart(through)
			return c.reader.Done(through)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if before := new(already); errors.As(err, &before) {
			return c.skip(before.offset)
		}
		c.fail(err)
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// skip goes on where an earlier agent's last batch ended, which this one had begun
// to cut differently.
func (c *carrier) skip(offset int64) error {
	if err := c.reader.SeekTo(offset); err != nil {
		return err
	}
	c.seek(offset)
	c.again = true
	return c.reader.Done(offset)
}
