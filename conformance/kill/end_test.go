package kill

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// began runs a berth with a task that goes on for ever.
func began(t *testing.T, flags ...string) (*house, *work) {
	t.Helper()
	h := newHouse(t, flags...)
	w := &work{name: "stays", count: endless}
	h.begins(w)
	return h, w
}

func TestTermStopsTasksAndKeepsState(t *testing.T) {
	h, w := began(t)
	h.signal(syscall.SIGTERM)
	if p, err := first(w.id()); err == nil {
		t.Errorf("the task runs on as %v", p)
	}
	h.nothingRuns()
	h.start()
	h.ready()
	task := h.reaches(w, "STOPPED")
	if reason := aws.ToString(task.StoppedReason); reason != "berth is stopping" {
		t.Errorf("stopped for %q", reason)
	}
	w.stop = true
	h.isDone(w)
	h.allFree()
}

func TestKeptTasksRunOn(t *testing.T) {
	h, w := began(t, "--keep-tasks")
	h.signal(syscall.SIGTERM)
	for _, role := range []string{"up", "server", "agent", "storage"} {
		if p, ok := h.role(role); ok {
			t.Errorf("%v runs", p)
		}
	}
	h.start("--keep-tasks")
	h.ready()
	h.stillRuns(w)
	h.stops(w)
	h.allFree()
}

func TestAllKilledAtOnce(t *testing.T) {
	h, w := began(t)
	for _, role := range []string{"up", "server", "logger", "agent", "storage"} {
		if !h.kill(role) {
			t.Errorf("there is no %s", role)
		}
	}
	<-h.ended
	h.start()
	h.ready()
	h.stillRuns(w)
	h.stops(w)
	h.allFree()
}

// What a container prints and how it ends is kept even where nobody is left to hear.
func TestEndedWhileAllWereDead(t *testing.T) {
	h := newHouse(t)
	w := &work{name: "alone", count: 30, code: 3}
	h.begins(w)
	for _, role := range []string{"up", "agent", "logger", "server"} {
		if !h.kill(role) {
			t.Errorf("there is no %s", role)
		}
	}
	<-h.ended
	h.until("the end of the program", time.Minute, func() error {
		if _, err := first(w.id()); err == nil {
			return errors.New("it runs")
		}
		return nil
	})
	h.start()
	h.ready()
	h.isDone(w)
}

// However far berth came when it is started for the first time, the next start goes
// on from there.
func TestKilledDuringTheFirstStart(t *testing.T) {
	for range 5 {
		after := rand.N(1200 * time.Millisecond)
		t.Run(after.String(), func(t *testing.T) {
			h := site(t)
			h.start()
			pause(t.Context(), after)
			for _, role := range []string{"up", "agent", "server", "storage", "logger"} {
				h.kill(role)
			}
			<-h.ended
			h.start()
			h.furnish()
			w := &work{name: "runs", count: 1}
			if err := h.run(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			h.isDone(w)
		})
	}
}

// The supervisor is killed, and the next one is told to end at once: it has
// everything in hand.
func TestTheNextUpStopsAllToo(t *testing.T) {
	h, w := began(t)
	h.killUp()
	h.stillRuns(w)
	h.signal(syscall.SIGTERM)
	h.nothingRuns()
}

func TestDownEndsWhatAKilledUpLeft(t *testing.T) {
	h, w := began(t)
	h.signal(syscall.SIGKILL)
	h.command("down", "--data", h.data)
	if p, err := first(w.id()); err == nil {
		t.Errorf("the task runs on as %v", p)
	}
	h.nothingRuns()
}

func TestForgettingEndsKeptTasks(t *testing.T) {
	h, w := began(t, "--keep-tasks")
	h.signal(syscall.SIGTERM)
	if now, err := first(w.id()); err != nil || !now.same(w.first) {
		t.Errorf("the task was %v and is %v, %v", w.first, now, err)
	}
	h.command("down", "--data", h.data, "--forget")
	if p, err := first(w.id()); err == nil {
		t.Errorf("the task runs on as %v", p)
	}
	h.nothingRuns()
}

func TestTermWhileTheServerIsAway(t *testing.T) {
	h, w := began(t)
	if !h.kill("server") {
		t.Fatal("there is no server")
	}
	h.signal(syscall.SIGTERM)
	if p, err := first(w.id()); err == nil {
		t.Errorf("the task runs on as %v", p)
	}
	h.nothingRuns()
}

func TestARunTaskWhoseAnswerWasCutIsNotRunTwice(t *testing.T) {
	h := newHouse(t)
	calls := 0
	h.ecs = ecs.New(h.ecs.Options(), func(o *ecs.Options) {
		o.HTTPClient = client(func(r *http.Request) (*http.Response, error) {
			resp, err := http.DefaultClient.Do(r)
			if calls++; err == nil && calls < 4 {
				return nil, errors.Join(errors.New("cut"), resp.Body.Close())
			}
			return resp, err
		})
	})
	w := &work{name: "once", count: 1}
	if err := h.run(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	list, err := h.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{Family: aws.String(family(w.image, w.fargate)), DesiredStatus: "RUNNING"})
	if err != nil || calls < 4 || len(list.TaskArns) > 1 {
		t.Errorf("%d calls made %v, %v", calls, list.TaskArns, err)
	}
	h.isDone(w)
}

type client func(*http.Request) (*http.Response, error)

// Do makes a request.
func (c client) Do(r *http.Request) (*http.Response, error) { return c(r) }

// stops stops a task and checks all that is known of it.
func (h *house) stops(w *work) {
	h.t.Helper()
	if err := h.stopTask(h.t.Context(), w); err != nil {
		h.t.Fatal(err)
	}
	h.isDone(w)
}

// nothingRuns waits until no process of berth's is left, the logger among them,
// which drains first.
func (h *house) nothingRuns() {
	h.t.Helper()
	h.until("the end of berth's processes", 30*time.Second, func() error {
		if left := h.processes(); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
}
