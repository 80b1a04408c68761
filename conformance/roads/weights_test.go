package roads_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// between tells whether green answers so many in a hundred at production's port, give or
// take, and its rule has the weight.
func (s *shifting) between(t *testing.T, green string, percent, tolerance int) {
	t.Helper()
	if percent > 0 {
		eventually(t, green+" to be heard", func() bool { return s.said(t, 80, 1)[green] == 1 })
	}
	const asked = 500
	if got := s.said(t, 80, asked)[green] * 100 / asked; got < percent-tolerance || got > percent+tolerance {
		t.Errorf("%q answered %d%%, not %d%%", green, got, percent)
	}
	if primary, alternate := s.weights(t, s.production); primary != int32(100-percent) || alternate != int32(percent) {
		t.Errorf("the rule's weights are %d and %d", primary, alternate)
	}
}

// TestLinearUnderLoad moves half of the traffic at a time.
//
// Proves linear-canary-built.
func TestLinearUnderLoad(t *testing.T) {
	how := func(hooks []types.DeploymentLifecycleHook) *types.DeploymentConfiguration {
		return &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyLinear, BakeTimeInMinutes: aws.Int32(0), LifecycleHooks: hooks,
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(0)},
		}
	}
	s := here.shifts(t, 2, how(nil))
	people := crowd(t, s.node, "GET", "POST", "gRPC")
	const before = "PRE_PRODUCTION_TRAFFIC_SHIFT"
	s.deploys(t, "two", how(pauses(types.DeploymentLifecycleHookStagePreProductionTrafficShift)))
	d := here.paused(t, s.service, before, 0)
	s.hears(t, 80, "one")
	here.continues(t, d)
	d = here.paused(t, s.service, before, 50)
	s.between(t, "two", 50, 10)
	here.continues(t, d)
	here.comesTo(t, s.service, types.ServiceDeploymentStatusSuccessful)
	s.hears(t, 80, "two")
	people.content(t)
}

// TestCanaryUnderLoad moves a tenth of the traffic, then all of it; that bakes for a
// minute, with both revisions there.
//
// Proves linear-canary-built.
func TestCanaryUnderLoad(t *testing.T) {
	t.Parallel()
	how := func(hooks []types.DeploymentLifecycleHook) *types.DeploymentConfiguration {
		return &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(1), LifecycleHooks: hooks,
			CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: aws.Int32(0)},
		}
	}
	s := here.shifts(t, 1, how(nil))
	people := crowd(t, s.node, "GET", "POST")
	s.deploys(t, "two", how(pauses(types.DeploymentLifecycleHookStagePreProductionTrafficShift)))
	for _, percent := range []int{0, 10} {
		d := here.paused(t, s.service, "PRE_PRODUCTION_TRAFFIC_SHIFT", float64(percent))
		s.between(t, "two", percent, percent/2)
		here.continues(t, d)
	}
	here.rolled(t, s.service, "baking", func(d *types.ServiceDeployment) bool {
		return d.LifecycleStage == types.ServiceDeploymentLifecycleStageBakeTime
	})
	begun := time.Now()
	s.hears(t, 80, "two")
	if d := here.newest(t, s.service); d.TargetServiceRevision.RunningTaskCount != 1 || d.SourceServiceRevisions[0].RunningTaskCount != 1 {
		t.Errorf("while it bakes: %+v %+v", d.TargetServiceRevision, d.SourceServiceRevisions[0])
	}
	here.comesTo(t, s.service, types.ServiceDeploymentStatusSuccessful)
	if took := time.Since(begun); took < 55*time.Second {
		t.Errorf("it baked for %v", took)
	}
	people.content(t)
}
