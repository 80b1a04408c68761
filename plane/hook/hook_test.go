package hook_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plane/hook"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

const function = "arn:aws:lambda:us-east-1:000000000000:function:check"

// called is a function that answers as it is told, and what it got.
type called struct {
	mu      sync.Mutex
	answers []string // the last one is repeated; one that begins with a digit is a status
	got     []map[string]any
}

func (f *called) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var event map[string]any
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.got = append(f.got, event)
	answer := f.answers[min(len(f.got), len(f.answers))-1]
	if answer == "503" || answer == "500" {
		w.WriteHeader(map[string]int{"503": 503, "500": 500}[answer])
		return
	}
	w.Write([]byte(answer))
}

func (f *called) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// play runs a caller until the hook is answered or the function was called so often.
func play(t *testing.T, f *called, calls int) (service.HookRun, *called) {
	t.Helper()
	remote := httptest.NewServer(f)
	defer remote.Close()
	s := begin(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, watch := s.Watch(store.Rollouts.Topic())
	defer watch.Close()
	var ended sync.WaitGroup
	ended.Go(func() {
		(&hook.Caller{Store: s, Addresses: map[string]string{function: remote.URL}, Log: slog.New(slog.DiscardHandler), Now: time.Now}).Run(ctx)
	})
	defer ended.Wait()
	defer cancel()
	for {
		r, _ := store.Rollouts.Get(s.View(), "rollout")
		if !r.Hooks[0].Status.Open() || f.count() >= calls && r.Hooks[0].NextCallAt.After(time.Now()) {
			return r.Hooks[0], f
		}
		select {
		case <-watch.Ready():
			watch.Take()
		case <-ctx.Done():
			t.Fatalf("no answer: %+v after %d calls", r.Hooks[0], f.count())
		}
	}
}

// begin is a store with one call due.
func begin(t *testing.T) store.Store {
	t.Helper()
	s := memory.Open()
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		store.Services.Put(tx, &service.Service{ARN: "service", Deployments: []service.Deployment{
			{RevisionARN: "green", Traffic: 12.5, TestTraffic: 100}, {RevisionARN: "blue", Traffic: 87.5},
		}})
		store.Rollouts.Put(tx, &service.Rollout{
			ARN: "rollout", ServiceARN: "service", Target: "green", Status: service.RolloutInProgress, Stage: service.ProductionShift,
			Configuration: service.Configuration{Hooks: []service.Hook{{Type: service.HookLambda, Target: function, Details: []byte(`{"bucket":"b"}`)}}},
			Hooks:         []service.HookRun{{ID: "id", Status: service.HookInProgress, NextCallAt: time.Now().Add(-time.Minute)}},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		answers []string
		calls   int
		want    service.HookStatus
	}{
		{[]string{`{"hookStatus":"SUCCEEDED"}`}, 1, service.HookSucceeded},
		{[]string{`{"hookStatus":"FAILED"}`}, 1, service.HookFailed},
		{[]string{`{"hookStatus":"maybe"}`}, 1, service.HookFailed},
		{[]string{`{"errorMessage":"it broke"}`}, 1, service.HookFailed},
		{[]string{`not JSON`}, 1, service.HookFailed},
		{[]string{"500"}, 1, service.HookFailed},
		{[]string{"503", `{"hookStatus":"SUCCEEDED"}`}, 2, service.HookSucceeded},
		{[]string{`{"hookStatus":"IN_PROGRESS","callBackDelay":1}`, `{"hookStatus":"SUCCEEDED"}`}, 2, service.HookSucceeded},
	} {
		t.Run(c.answers[0], func(t *testing.T) {
			t.Parallel()
			got, f := play(t, &called{answers: c.answers}, c.calls+1)
			if got.Status != c.want || f.count() != c.calls {
				t.Errorf("%+v after %d calls, want %s", got, f.count(), c.want)
			}
		})
	}
}

// TestEvent is the documented event, and what a function gives for its next call.
func TestEvent(t *testing.T) {
	_, f := play(t, &called{answers: []string{`{"hookStatus":"IN_PROGRESS","callBackDelay":1,"hookDetails":{"seen":1}}`, `{"hookStatus":"SUCCEEDED"}`}}, 3)
	want := map[string]any{
		"executionId": "id", "lifecycleStage": "PRODUCTION_TRAFFIC_SHIFT", "resourceArn": "rollout", "hookDetails": map[string]any{"bucket": "b"},
		"executionDetails": map[string]any{
			"serviceArn": "service", "targetServiceRevisionArn": "green",
			"testTrafficWeights": map[string]any{}, "productionTrafficWeights": map[string]any{"green": 12.5, "blue": 87.5},
		},
	}
	if !reflect.DeepEqual(f.got[0], want) {
		t.Errorf("%v, want %v", f.got[0], want)
	}
	want["hookDetails"] = map[string]any{"seen": 1.0}
	if !reflect.DeepEqual(f.got[1], want) {
		t.Errorf("%v, want %v", f.got[1], want)
	}
}

// TestACallIsRepeatedAfterACrash ends the caller while the function works: the next
// one calls again, and says that it is the same execution.
func TestACallIsRepeatedAfterACrash(t *testing.T) {
	calls := make(chan string)
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event struct {
			ExecutionID string `json:"executionId"`
		}
		_ = json.NewDecoder(r.Body).Decode(&event)
		calls <- event.ExecutionID
		<-r.Context().Done()
	}))
	defer remote.Close()
	s := begin(t)
	for range 2 {
		ctx, crash := context.WithCancel(t.Context())
		var ended sync.WaitGroup
		ended.Go(func() {
			(&hook.Caller{Store: s, Addresses: map[string]string{function: remote.URL}, Log: slog.New(slog.DiscardHandler), Now: time.Now}).Run(ctx)
		})
		if id := <-calls; id != "id" {
			t.Error(id)
		}
		crash()
		ended.Wait()
		if r, _ := store.Rollouts.Get(s.View(), "rollout"); r.Hooks[0].Status != service.HookInProgress || r.Hooks[0].Missed != 0 {
			t.Errorf("%+v", r.Hooks[0])
		}
	}
}

// TestLater waits as long as AWS does where the function does not say.
func TestLater(t *testing.T) {
	got, _ := play(t, &called{answers: []string{`{"hookStatus":"IN_PROGRESS"}`}}, 1)
	if left := time.Until(got.NextCallAt); left < 20*time.Second || left > 30*time.Second {
		t.Errorf("called again in %v", left)
	}
}
