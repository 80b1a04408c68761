package edge

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/balancer"
)

const (
	// partSize is when a part of a log is delivered before its time, and what a
	// part may have at most while it cannot be; in bytes of text.
	partSize = 4 << 20
	maxPart  = 4 * partSize
	// logsEvery is AWS's interval of delivery.
	logsEvery = 5 * time.Minute
)

// Journal collects the lines of balancers' logs and delivers them in parts, one for each
// node, at times that are whole multiples of the interval. Its methods are for many
// goroutines.
type Journal struct {
	send  func(ctx context.Context, l *balancer.Lines) error
	every time.Duration
	log   *slog.Logger
	full  chan struct{}

	mu    sync.Mutex
	parts map[source]*bytes.Buffer
	lost  int // lines
}

// seldom is how many intervals are one for a log that is delivered once an hour, as those
// of Classic balancers are unless asked otherwise.
const seldom = 12

// source is whose log a line belongs to.
type source struct {
	log               balancer.Log
	balancer, address string
	seldom            bool
}

// NewJournal makes one that delivers to the control plane; every is 0 for five minutes.
func NewJournal(place client.Place, every time.Duration, log *slog.Logger) *Journal {
	api := client.New(place)
	return newJournal(every, log, func(ctx context.Context, l *balancer.Lines) error { return api.Post(ctx, linesPath, l, nil) })
}

func newJournal(every time.Duration, log *slog.Logger, send func(context.Context, *balancer.Lines) error) *Journal {
	if every == 0 {
		every = logsEvery
	}
	return &Journal{send: send, every: every, log: log, full: make(chan struct{}, 1), parts: map[source]*bytes.Buffer{}}
}

// Write takes a line, without its end, of a log of a balancer's node. A log that cannot be
// delivered for long loses lines.
func (j *Journal) Write(log balancer.Log, b *balancer.Balancer, address string, line []byte) {
	at := source{log, b.ARN, address, b.Attribute(balancer.AccessLogsInterval) == "60"}
	j.mu.Lock()
	defer j.mu.Unlock()
	part := j.parts[at]
	if part == nil {
		part = &bytes.Buffer{}
		j.parts[at] = part
	}
	if part.Len() > maxPart {
		j.lost++
		return
	}
	part.Write(line)
	part.WriteByte('\n')
	if part.Len() > partSize {
		select {
		case j.full <- struct{}{}:
		default:
		}
	}
}

// Run delivers until ctx ends; then it delivers what is left.
func (j *Journal) Run(ctx context.Context) {
	for {
		now := time.Now()
		timer := time.NewTimer(now.Truncate(j.every).Add(j.every).Sub(now))
		least := 0
		select {
		case <-timer.C:
		case <-j.full:
			timer.Stop()
			least = partSize
		case <-ctx.Done():
			timer.Stop()
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
			defer cancel()
			j.deliver(last, time.Now(), 0, true)
			return
		}
		now = time.Now()
		j.deliver(ctx, now, least, least > 0 || now.Truncate(j.every).Equal(now.Truncate(seldom*j.every)))
	}
}

// deliver sends the parts that are larger than least bytes, all of them or the usual ones
// only. What cannot be sent waits.
func (j *Journal) deliver(ctx context.Context, now time.Time, least int, all bool) {
	for at, part := range j.take(least, all) {
		text, err := compressed(part.Bytes())
		if err == nil {
			err = j.send(ctx, &balancer.Lines{Log: at.log, BalancerARN: at.balancer, Address: at.address, Until: now, Name: rand.Text()[:8], Text: text})
		}
		if err != nil {
			j.log.Warn("a log cannot be delivered; it is tried again", "log", at.log, "balancer", at.balancer, "err", err)
			j.giveBack(at, part)
		}
	}
}

func (j *Journal) take(least int, all bool) map[source]*bytes.Buffer {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[source]*bytes.Buffer{}
	for at, part := range j.parts {
		if part.Len() > least && (all || !at.seldom) {
			out[at] = part
			delete(j.parts, at)
		}
	}
	if j.lost > 0 {
		j.log.Error("lines of logs are lost: they could not be delivered", "lines", j.lost)
		j.lost = 0
	}
	return out
}

// giveBack puts a part before what came since.
func (j *Journal) giveBack(at source, part *bytes.Buffer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if since := j.parts[at]; since != nil {
		part.Write(since.Bytes())
	}
	j.parts[at] = part
}

func compressed(text []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	err := z.Close()
	return out.Bytes(), err
}
