package server

import (
	"net/http"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// QuietPath is where whoever stops berth asks for the end of all tasks first. From
// the first call on nothing makes tasks of its own accord, so that services do not
// replace what stops; a server that is started anew makes them again.
const QuietPath = "/_berth/quiet"

// QuietResponse tells how many tasks have not stopped yet: call again until there
// are none.
type QuietResponse struct {
	Tasks int `json:"tasks"`
}

// stoppingReason is what the tasks say.
const stoppingReason = "berth is stopping"

// stopAtOnce bounds what one transaction stops, so that others get their turn.
const stopAtOnce = 500

func (s *Server) quiet(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
	if call.Principal.Kind != identity.Root {
		writeFault(w, fault.New(fault.AccessDenied, "Only the account's administrator stops all tasks."))
		return
	}
	s.control.Rest()
	for more := true; more; {
		_, err := s.store.Update(r.Context(), func(tx *store.Tx) error {
			more = stopSome(tx, call.Now)
			return nil
		})
		if err != nil {
			writeFault(w, err)
			return
		}
	}
	writeJSON(w, http.StatusOK, QuietResponse{Tasks: unfinished(s.store.View())})
}

// unfinished counts the tasks that are still somewhere.
func unfinished(v *store.View) (n int) {
	for _, phase := range []string{store.Placed, store.Releasing} {
		for range store.Tasks.By(v, store.TasksByPhase, phase) {
			n++
		}
	}
	return n
}

// stopSome asks tasks to stop that nobody has asked to before. It tells whether
// there may be more of them.
func stopSome(tx *store.Tx, now time.Time) bool {
	n := 0
	for _, phase := range []string{store.Unplaced, store.Placed} {
		for t := range store.Tasks.By(tx, store.TasksByPhase, phase) {
			if t.DesiredStatus() == task.Stopped {
				continue
			}
			if n == stopAtOnce {
				return true
			}
			n++
			next := *t
			next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: stoppingReason, StoppingAt: now}
			next.Version++
			store.Tasks.Put(tx, &next)
		}
	}
	return false
}
