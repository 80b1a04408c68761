package server

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plan/spot"
	"github.com/berthhq/berth/store"
)

// InterruptPath is where administrators interrupt tasks on Fargate Spot.
const InterruptPath = "/_berth/spot/interruptions"

// InterruptRequest asks to interrupt a task.
type InterruptRequest struct {
	Cluster string `json:"cluster"` // name; not needed with an ARN
	Task    string `json:"task"`    // id or ARN
}

// InterruptResponse tells which task stops.
type InterruptResponse struct {
	TaskARN string `json:"taskArn"`
}

func (s *Server) interrupt(w http.ResponseWriter, r *http.Request, call *gateway.Call) {
	stopped, err := s.interruptTask(r, call)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, http.StatusOK, InterruptResponse{TaskARN: stopped.ARN})
}

func (s *Server) interruptTask(r *http.Request, call *gateway.Call) (stopped *task.Task, err error) {
	if call.Principal.Kind != identity.Root {
		return nil, fault.New(fault.AccessDenied, "Only the account's administrator interrupts tasks.")
	}
	var in InterruptRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&in); err != nil {
		return nil, fault.New(fault.Serialization, "The request cannot be read.")
	}
	key := in.Task
	if !arn.IsARN(key) {
		key = arn.Scope{Account: call.Principal.Account, Region: s.Home.Region}.Task(in.Cluster, in.Task)
	}
	_, err = s.store.Update(r.Context(), func(tx *store.Tx) error {
		have, ok := store.Tasks.Get(tx, key)
		switch {
		case !ok || have.Scope.Account != call.Principal.Account:
			return fault.New(fault.InvalidParameter, "The referenced task was not found.")
		case !spot.Interruptible(have):
			return fault.New(fault.InvalidParameter, "The task does not run on Fargate Spot.").
				WithHint("run it with the capacity provider FARGATE_SPOT; `aws ecs stop-task` ends any task")
		}
		stopped = spot.Interrupt(tx, have, call.Now)
		return nil
	})
	return stopped, err
}
