package hook

import (
	"encoding/json"

	"github.com/berthhq/berth/domain/service"
)

// event is what a function gets.
type event struct {
	Details     details         `json:"executionDetails"`
	ExecutionID string          `json:"executionId"`
	Stage       service.Stage   `json:"lifecycleStage"`
	ResourceARN string          `json:"resourceArn"`
	HookDetails json.RawMessage `json:"hookDetails,omitempty"`
}

type details struct {
	ServiceARN string  `json:"serviceArn"`
	Target     string  `json:"targetServiceRevisionArn"`
	Test       weights `json:"testTrafficWeights"`
	Production weights `json:"productionTrafficWeights"`
}

// weights are percentages by the ARN of a revision.
type weights map[string]float64

// eventOf tells a function where its rollout is. Traffic is told where it shifts.
func eventOf(s *service.Service, r *service.Rollout, h *service.HookRun) event {
	e := event{
		ExecutionID: h.ID, Stage: r.Stage, ResourceARN: r.ARN, HookDetails: h.Details,
		Details: details{ServiceARN: r.ServiceARN, Target: r.Target, Test: weights{}, Production: weights{}},
	}
	if h.Details == nil {
		e.HookDetails = r.Configuration.Hooks[h.Hook].Details
	}
	both := r.Stage == service.ReconcileService
	for i := range s.Deployments {
		d := &s.Deployments[i]
		if both || r.Stage == service.TestTrafficShift {
			e.Details.Test[d.RevisionARN] = d.TestTraffic
		}
		if both || r.Stage == service.PreProductionShift || r.Stage == service.ProductionShift {
			e.Details.Production[d.RevisionARN] = d.Traffic
		}
	}
	return e
}
