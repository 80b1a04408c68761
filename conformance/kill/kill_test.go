package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const clientCount = 3

// Proves 1.1, 7.0, 7.3.
func TestKilledUnderLoad(t *testing.T) {
	kills := 10
	if os.Getenv("BERTH_SOAK") != "" {
		kills = 100
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("BERTH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BERTH_SEED=%d", seed)
	random := func(of uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, of)) }

	h := newHouse(t)
	c := &crowd{t: t}
	var stay []*work
	for n := range 3 {
		w := &work{name: fmt.Sprintf("stays-%d", n), count: endless, fargate: n == 2}
		h.begins(w)
		stay = append(stay, w)
	}
	h.serve()
	busy, rest := context.WithCancel(t.Context())
	defer c.working.Wait()
	defer rest()
	for n := range uint64(clientCount) {
		c.working.Go(func() { c.client(busy, h, fmt.Sprintf("c%d", n), random(n+1)) })
	}
	c.working.Go(func() { h.churn(busy, random(clientCount+1)) })
	killed := h.killing(kills, random(0))
	rest()
	c.working.Wait()
	t.Logf("killed %v while %d tasks ran", killed, len(c.works))

	h.settle()
	for _, w := range stay {
		h.stillRuns(w)
		h.stops(w)
	}
	for _, w := range c.works {
		h.isDone(w)
	}
	h.served()
	h.allFree()
}

// client runs tasks, one after the other without waiting for their ends, and stops
// some, until ctx ends.
func (c *crowd) client(ctx context.Context, h *house, name string, random *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		w := &work{name: fmt.Sprintf("%s-%d", name, n), count: 1 + random.IntN(30), code: random.IntN(3), image: random.IntN(imageCount), fargate: random.IntN(10) == 0}
		stop := random.IntN(4) == 0
		switch {
		case stop:
			w.count = endless
		case random.IntN(4) == 0:
			w.fast, w.count = true, 1+random.IntN(20000) // more than a buffer and a page of its log
		}
		// What was begun is brought to its end: an answer that was sent must hold.
		if err := h.run(context.WithoutCancel(ctx), w); err != nil {
			c.t.Error(err)
			return
		}
		c.add(w)
		pause(ctx, time.Duration(random.IntN(1000))*time.Millisecond)
		if stop {
			if err := h.stopTask(context.WithoutCancel(ctx), w); err != nil {
				c.t.Error(err)
				return
			}
		}
		pause(ctx, time.Duration(random.IntN(1000))*time.Millisecond)
	}
}

// pause is part of the load: clients and kills come at random times.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// killing kills berth's processes one after the other.
func (h *house) killing(kills int, random *rand.Rand) map[string]int {
	h.t.Helper()
	roles := []string{"server", "agent", "storage", "logger", "up"}
	killed := map[string]int{}
	for n := 0; n < kills; {
		pause(h.t.Context(), time.Duration(100+random.IntN(4000))*time.Millisecond)
		for range 1 + random.IntN(2) { // one alone, or two at a time
			role := roles[random.IntN(len(roles))]
			if role == "up" {
				h.killUp()
			} else if !h.kill(role) {
				continue // it was killed a moment ago and is not back yet
			}
			killed[role]++
			n++
		}
	}
	return killed
}

// killUp kills the supervisor and starts the next, which takes over what runs.
func (h *house) killUp() {
	h.t.Helper()
	before := map[string]process{}
	for _, role := range []string{"server", "agent", "storage"} {
		if p, ok := h.role(role); ok {
			before[role] = p
		}
	}
	h.signal(syscall.SIGKILL)
	h.start()
	h.ready()
	for role, p := range before {
		if now, ok := h.role(role); !ok || !now.same(p) {
			h.t.Errorf("the %s was %v and is %v since berth up was killed", role, p, now)
		}
	}
}

// settle waits until all roles are there and the machine is connected.
func (h *house) settle() {
	h.t.Helper()
	h.until("all roles", time.Minute, func() error {
		for _, role := range []string{"server", "agent", "storage", "up"} {
			if _, ok := h.role(role); !ok {
				return fmt.Errorf("no %s", role)
			}
		}
		return h.connected()
	})
}

// stillRuns checks that a task runs on in the process it began in.
func (h *house) stillRuns(w *work) {
	h.t.Helper()
	task := h.reaches(w, "RUNNING")
	if now, err := first(w.id()); err != nil || !now.same(w.first) || *task.LastStatus != "RUNNING" {
		h.t.Errorf("%s was %v and is %v, %v: %s", w.name, w.first, now, err, aws.ToString(task.LastStatus))
	}
}

// isDone checks that a task ended as it should, and that all is known of it.
func (h *house) isDone(w *work) {
	h.t.Helper()
	task := h.reaches(w, "STOPPED")
	container := task.Containers[0]
	code := exit(container.ExitCode)
	if w.stop && h.starts(w) == "" && !(w.fargate && code == "0") {
		return // asked before the program began
	}
	want := fmt.Sprint(w.code)
	if w.stop {
		want = "0"
	}
	killed := w.stop && code == "137" // asked before it could listen
	if !killed && code != want {
		h.t.Errorf("%s (%s) ended with %s, not %s: %s %s", w.name, w.task, code, want, aws.ToString(task.StoppedReason), aws.ToString(container.Reason))
		return
	}
	h.ranOnce(w, killed)
}

func exit(code *int32) string {
	if code == nil {
		return "no exit code"
	}
	return fmt.Sprint(*code)
}
