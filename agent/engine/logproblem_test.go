package engine_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// TestDeniedLogsAreSaidWhileTheyAre tells why a running container's logs are not
// shipped, and takes it back once they are.
func TestDeniedLogsAreSaidWhileTheyAre(t *testing.T) {
	var allowed atomic.Bool
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed.Load() {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"User is not authorized to perform: logs:PutLogEvents"}`)
			return
		}
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(stub.Close)
	h := newHouse(t)
	h.adjust = func(c *engine.Config) { c.LogsEvery = 10 * time.Millisecond }
	h.open()
	c := script("app", "echo hello; exec sleep 1000")
	c.Log = &workload.LogConfiguration{Driver: "awslogs", Options: map[string]string{"awslogs-group": "g", "awslogs-endpoint": stub.URL}}
	o := h.order(c)
	h.runs(o)
	said := func(want string) func() bool {
		return func() bool { return strings.Contains(container(t, h.observed(o.ARN), "app").Reason, want) }
	}
	runtimetest.Until(t, "the reason", said("LogDriverError: the container's logs cannot be shipped, and wait on disk: "))
	if !said("AccessDeniedException: User is not authorized to perform: logs:PutLogEvents")() {
		t.Errorf("%+v", h.observed(o.ARN))
	}
	allowed.Store(true)
	runtimetest.Until(t, "the reason to end", func() bool { return container(t, h.observed(o.ARN), "app").Reason == "" })
	if end := h.stops(o); end.StopCode == task.StopTaskFailedToStart {
		t.Errorf("%+v", end)
	}
	h.nothingLeft()
}
