package life_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// function is what hooks of these tests name.
const function = "arn:aws:lambda:us-east-1:000000000000:function:follow"

// follower answers hooks. While the traffic of the service "web" shifts it has to be
// asked twice; after that it approves or not.
type follower struct {
	refuses atomic.Bool
	waits   atomic.Int32

	mu     sync.Mutex
	stages map[string][]string // that it was called at, by service
	asked  map[string]bool     // executions that it has put off
}

func (f *follower) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event struct {
		ExecutionID      string `json:"executionId"`
		LifecycleStage   string
		ExecutionDetails struct{ ProductionTrafficWeights map[string]float64 }
		HookDetails      map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil || event.ExecutionID == "" || event.HookDetails["service"] == "" {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	service := event.HookDetails["service"]
	answer := `{"hookStatus": "SUCCEEDED"}`
	switch {
	case service != "web":
	case event.LifecycleStage == "PRODUCTION_TRAFFIC_SHIFT" && len(event.ExecutionDetails.ProductionTrafficWeights) > 0 && f.first(event.ExecutionID):
		f.waits.Add(1)
		answer = `{"hookStatus": "IN_PROGRESS", "callBackDelay": 1}`
	case event.LifecycleStage == "POST_PRODUCTION_TRAFFIC_SHIFT" && f.refuses.Load():
		answer = `{"hookStatus": "FAILED"}`
	}
	f.mu.Lock()
	f.stages[service] = append(f.stages[service], event.LifecycleStage)
	f.mu.Unlock()
	_, _ = w.Write([]byte(answer))
}

// first tells whether an execution asks for the first time.
func (f *follower) first(execution string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.asked[execution]
	f.asked[execution] = true
	return !before
}

// took are the stages that a service's function was called at since it was asked
// last.
func (f *follower) took(service string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer delete(f.stages, service)
	return f.stages[service]
}

// calls is a hook of the function at stages.
func calls(service string, stages ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{
		HookTargetArn: aws.String(function), RoleArn: aws.String("arn:aws:iam::000000000000:role/ecsInstanceRole"), LifecycleStages: stages,
		HookDetails: document.NewLazyDocument(map[string]string{"service": service}),
	}
}

// pauses is a hook that waits for a person.
func pauses(at types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []types.DeploymentLifecycleHookStage{at}}
}

// version registers a definition whose tasks say what they are.
func (b *berth) version(t *testing.T, says string) string {
	t.Helper()
	c := container("app", probe, "serve", "80", says)
	c.PortMappings, c.StopTimeout = []types.PortMapping{{ContainerPort: aws.Int32(80)}}, aws.Int32(2)
	return b.register(t, onEC2(c))
}

// serves makes a service and deletes it with the test.
func (b *berth) serves(t *testing.T, in *ecs.CreateServiceInput) {
	t.Helper()
	if _, err := b.ecs.CreateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := b.ecs.DeleteService(context.Background(), &ecs.DeleteServiceInput{Service: in.ServiceName, Force: aws.Bool(true)}); err != nil {
			t.Error(err)
		}
	})
}

// deploys updates a service.
func (b *berth) deploys(t *testing.T, in *ecs.UpdateServiceInput) {
	t.Helper()
	if _, err := b.ecs.UpdateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// rolled waits until the newest deployment is as wanted.
func (b *berth) rolled(t *testing.T, service, what string, so func(*types.ServiceDeployment) bool) *types.ServiceDeployment {
	t.Helper()
	var last *types.ServiceDeployment
	defer func() {
		if t.Failed() {
			t.Log(shown(last))
		}
	}()
	eventually(t, service+" to be "+what, func() bool {
		d, err := b.newest(t.Context(), service)
		if err != nil {
			t.Fatal(err)
		}
		last = d
		return so(d)
	})
	return last
}

// newest describes the newest deployment of a service.
func (b *berth) newest(ctx context.Context, service string) (*types.ServiceDeployment, error) {
	out, err := b.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		return nil, fmt.Errorf("describe %s: %v", service, err)
	}
	described, err := b.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*out.Services[0].CurrentServiceDeployment}})
	if err != nil || len(described.ServiceDeployments) != 1 {
		return nil, fmt.Errorf("describe the deployment of %s: %v", service, err)
	}
	return &described.ServiceDeployments[0], nil
}

// comesTo waits for a status.
func (b *berth) comesTo(t *testing.T, service string, status types.ServiceDeploymentStatus) *types.ServiceDeployment {
	t.Helper()
	return b.rolled(t, service, string(status), func(d *types.ServiceDeployment) bool { return d.Status == status })
}

// paused waits for a hook that a person is to answer.
func (b *berth) paused(t *testing.T, service string, stage types.ServiceDeploymentLifecycleStage) *types.ServiceDeployment {
	t.Helper()
	return b.rolled(t, service, "paused at "+string(stage), func(d *types.ServiceDeployment) bool {
		return d.LifecycleStage == stage && len(d.LifecycleHookDetails) > 0 && d.LifecycleHookDetails[0].Status == types.DeploymentLifecycleHookStatusAwaitingAction
	})
}

func (b *berth) continues(t *testing.T, d *types.ServiceDeployment) {
	t.Helper()
	_, err := b.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: d.LifecycleHookDetails[0].HookId})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHooksOfShiftingTraffic has a function and a person decide how deployments go on
// that shift traffic.
// Proves lifecycle-hooks-lambda.
func TestHooksOfShiftingTraffic(t *testing.T) {
	t.Parallel()
	f := &follower{stages: map[string][]string{}, asked: map[string]bool{}}
	remote := httptest.NewServer(f)
	t.Cleanup(remote.Close)
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024", "--hook", function+"="+remote.URL)
	t.Run("blue-green", func(t *testing.T) { t.Parallel(); aFunctionDecides(t, b, f) })
	t.Run("canary", func(t *testing.T) { t.Parallel(); canaryCallsAtEveryStage(t, b, f) })
}

// aFunctionDecides moves a service to its second version by hand, and back from its
// third when a function refuses it.
func aFunctionDecides(t *testing.T, b *berth, f *follower) {
	b.serves(t, &ecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: aws.String(b.version(t, "one")), DesiredCount: aws.Int32(2), LaunchType: types.LaunchTypeEc2,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0),
			LifecycleHooks: []types.DeploymentLifecycleHook{
				pauses(types.DeploymentLifecycleHookStagePostTestTrafficShift),
				calls("web", types.DeploymentLifecycleHookStageProductionTrafficShift, types.DeploymentLifecycleHookStagePostProductionTrafficShift),
			},
		},
	})
	b.continues(t, b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift))
	b.comesTo(t, "web", types.ServiceDeploymentStatusSuccessful)
	before := f.waits.Load()
	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(b.version(t, "two"))})
	b.continues(t, b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift))
	d := b.comesTo(t, "web", types.ServiceDeploymentStatusSuccessful)
	if !weighs(d, 100) || f.waits.Load() == before {
		t.Errorf("the function waited %d times: %s", f.waits.Load(), shown(d))
	}
	f.refuses.Store(true)
	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(b.version(t, "three"))})
	b.continues(t, b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift))
	back := b.comesTo(t, "web", types.ServiceDeploymentStatusRollbackSuccessful)
	if back.Rollback == nil || *back.Rollback.ServiceRevisionArn != *d.TargetServiceRevision.Arn || !weighs(back, 0) {
		t.Error(shown(back))
	}
}

// weighs tells whether the new revision has a share of the traffic, and the old one
// the rest.
func weighs(d *types.ServiceDeployment, share float64) bool {
	source := 0.0
	for _, s := range d.SourceServiceRevisions {
		source += aws.ToFloat64(s.RequestedProductionTrafficWeight)
	}
	return aws.ToFloat64(d.TargetServiceRevision.RequestedProductionTrafficWeight) == share && source == 100-share
}

// canaryCallsAtEveryStage deploys a canary, another while the first still bakes,
// goes back from that, and then lets one come to its end.
func canaryCallsAtEveryStage(t *testing.T, b *berth, f *follower) {
	pause := pauses(types.DeploymentLifecycleHookStagePreScaleUp)
	pause.TimeoutConfiguration = &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(1), Action: types.DeploymentLifecycleHookActionContinue}
	b.serves(t, &ecs.CreateServiceInput{
		ServiceName: aws.String("canary"), TaskDefinition: aws.String(b.version(t, "one")), DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeEc2,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			Strategy: types.DeploymentStrategyCanary, CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: aws.Int32(1)},
			LifecycleHooks: []types.DeploymentLifecycleHook{pause, calls("canary", types.DeploymentLifecycleHookStage("").Values()...)},
		},
	})
	b.paused(t, "canary", types.ServiceDeploymentLifecycleStagePreScaleUp)
	b.comesTo(t, "canary", types.ServiceDeploymentStatusSuccessful) // nobody has answered
	whole := []string{
		"PRE_SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
		"PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT",
	}
	if got := f.took("canary"); !slices.Equal(got, whole) {
		t.Errorf("called at %v", got)
	}
	tenth := func(d *types.ServiceDeployment) bool { return weighs(d, 10) }
	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("canary"), TaskDefinition: aws.String(b.version(t, "two"))})
	b.continues(t, b.paused(t, "canary", types.ServiceDeploymentLifecycleStagePreScaleUp))
	b.rolled(t, "canary", "a tenth", tenth)
	f.took("canary")

	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("canary"), TaskDefinition: aws.String(b.version(t, "three"))})
	d := b.paused(t, "canary", types.ServiceDeploymentLifecycleStagePreScaleUp)
	if got := f.took("canary"); len(got) == 0 || got[0] != "RECONCILE_SERVICE" || !weighs(d, 0) {
		t.Errorf("called at %v: %s", got, shown(d))
	}
	_, err := b.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{
		ServiceDeploymentArn: d.ServiceDeploymentArn, HookId: d.LifecycleHookDetails[0].HookId, Action: types.DeploymentLifecycleHookActionRollback,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.comesTo(t, "canary", types.ServiceDeploymentStatusRollbackSuccessful)

	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("canary"), TaskDefinition: aws.String(b.version(t, "four"))})
	b.continues(t, b.paused(t, "canary", types.ServiceDeploymentLifecycleStagePreScaleUp))
	b.rolled(t, "canary", "a tenth", tenth)
	b.comesTo(t, "canary", types.ServiceDeploymentStatusSuccessful)
}

// TestHooksNobodyAnswersFor refuses a service whose function has no address.
func TestHooksNobodyAnswersFor(t *testing.T) {
	t.Parallel()
	_, err := here.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("unhooked"), TaskDefinition: aws.String(here.version(t, "unhooked")), DesiredCount: aws.Int32(0),
		DeploymentConfiguration: &types.DeploymentConfiguration{LifecycleHooks: []types.DeploymentLifecycleHook{{
			HookTargetArn: aws.String(function), LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePreScaleUp},
		}}},
	})
	if err == nil || !strings.Contains(err.Error(), "InvalidParameterException") || !strings.Contains(err.Error(), "--hook "+function) {
		t.Error(err)
	}
}

// TestAnAlarmRollsBack sets an alarm off in the middle of a rolling deployment.
// Proves deployment-alarms.
func TestAnAlarmRollsBack(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.alarm("rolling-errors", "ignore")
	first := here.version(t, "one")
	here.serves(t, &ecs.CreateServiceInput{ServiceName: aws.String("alarmed"), TaskDefinition: &first, DesiredCount: aws.Int32(1), LaunchType: types.LaunchTypeEc2})
	here.comesTo(t, "alarmed", types.ServiceDeploymentStatusSuccessful)
	here.deploys(t, &ecs.UpdateServiceInput{
		Service: aws.String("alarmed"), TaskDefinition: aws.String(here.version(t, "two")),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			BakeTimeInMinutes: aws.Int32(60), Alarms: &types.DeploymentAlarms{AlarmNames: []string{"rolling-errors"}, Enable: true, Rollback: true},
		},
	})
	here.rolled(t, "alarmed", "replaced", func(d *types.ServiceDeployment) bool {
		return d.Alarms != nil && d.Alarms.Status == types.ServiceDeploymentRollbackMonitorsStatusMonitoring &&
			d.TargetServiceRevision.RunningTaskCount == 1 && d.SourceServiceRevisions[0].RunningTaskCount == 0
	})
	w.set("rolling-errors", cwtypes.StateValueAlarm)
	d := here.comesTo(t, "alarmed", types.ServiceDeploymentStatusRollbackSuccessful)
	if d.Alarms.Status != types.ServiceDeploymentRollbackMonitorsStatusTriggered || !slices.Equal(d.Alarms.TriggeredAlarmNames, []string{"rolling-errors"}) {
		t.Error(shown(d))
	}
	out, err := here.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"alarmed"}})
	if err != nil || *out.Services[0].TaskDefinition != first {
		t.Fatalf("%s %v", shown(out), err)
	}
	failed := func(e types.ServiceEvent) bool {
		return strings.HasSuffix(*e.Message, ") deployment failed: alarm detected.")
	}
	if !slices.ContainsFunc(out.Services[0].Events, failed) {
		t.Error(shown(out.Services[0].Events))
	}
}
