package hook

import (
	"errors"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/service"
)

// TestNobodyReached calls again with growing pauses, and then gives up.
func TestNobodyReached(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h, a := service.HookRun{Status: service.HookInProgress}, answer{missed: true, err: errors.New("nobody is there")}
	for _, pause := range []time.Duration{1, 2, 4, 8, 16} {
		a.apply(&h, now)
		if h.Status != service.HookInProgress || !h.NextCallAt.Equal(now.Add(pause*time.Second)) {
			t.Errorf("%+v, want a call in %ds", h, pause)
		}
	}
	if a.apply(&h, now); h.Status != service.HookFailed || h.Reason != "nobody is there" {
		t.Errorf("%+v", h)
	}
}
