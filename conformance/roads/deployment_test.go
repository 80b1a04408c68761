package roads_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// newest describes the newest deployment of a service.
func (b *berth) newest(t *testing.T, service string) *types.ServiceDeployment {
	t.Helper()
	out, err := b.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe %s: %v", service, err)
	}
	d, err := b.ecs.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*out.Services[0].CurrentServiceDeployment}})
	if err != nil || len(d.ServiceDeployments) != 1 {
		t.Fatalf("describe the deployment of %s: %v", service, err)
	}
	return &d.ServiceDeployments[0]
}

// rolled waits until the newest deployment is as wanted.
func (b *berth) rolled(t *testing.T, service, what string, so func(*types.ServiceDeployment) bool) *types.ServiceDeployment {
	t.Helper()
	var last *types.ServiceDeployment
	defer func() {
		if t.Failed() {
			text, _ := json.MarshalIndent(last, "", "  ")
			t.Logf("%s\n%s", text, b.events(t, service))
		}
	}()
	eventually(t, service+" to be "+what, func() bool {
		last = b.newest(t, service)
		return so(last)
	})
	return last
}

// comesTo waits for a status.
func (b *berth) comesTo(t *testing.T, service string, status types.ServiceDeploymentStatus) *types.ServiceDeployment {
	t.Helper()
	return b.rolled(t, service, string(status), func(d *types.ServiceDeployment) bool { return d.Status == status })
}

// pauses are hooks that wait for a person at stages.
func pauses(at ...types.DeploymentLifecycleHookStage) []types.DeploymentLifecycleHook {
	return []types.DeploymentLifecycleHook{{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: at}}
}

// paused waits for the hook of a stage that a person is to answer, and for green to
// have a share of the production traffic.
func (b *berth) paused(t *testing.T, service, stage string, share float64) *types.ServiceDeployment {
	t.Helper()
	return b.rolled(t, service, fmt.Sprintf("paused at %s with %v%%", stage, share), func(d *types.ServiceDeployment) bool {
		return string(d.LifecycleStage) == stage && len(d.LifecycleHookDetails) > 0 && weighs(d, share) &&
			d.LifecycleHookDetails[0].Status == types.DeploymentLifecycleHookStatusAwaitingAction
	})
}

func (b *berth) continues(t *testing.T, d *types.ServiceDeployment) {
	t.Helper()
	if _, err := b.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
		ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: d.LifecycleHookDetails[0].HookId,
	}); err != nil {
		t.Fatal(err)
	}
}

// weighs tells whether the new revision has a share of the production traffic, and the
// old one the rest.
func weighs(d *types.ServiceDeployment, share float64) bool {
	source := 0.0
	for _, s := range d.SourceServiceRevisions {
		source += aws.ToFloat64(s.RequestedProductionTrafficWeight)
	}
	return aws.ToFloat64(d.TargetServiceRevision.RequestedProductionTrafficWeight) == share && source == 100-share
}
