package life_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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

// follower answers hooks. While traffic shifts it waits for the balancer; after that
// it approves or not.
type follower struct {
	balancer atomic.Pointer[balancer]
	refuses  atomic.Bool
	waits    atomic.Int32
}

func (f *follower) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event struct {
		ExecutionID      string `json:"executionId"`
		LifecycleStage   string
		ExecutionDetails struct{ ProductionTrafficWeights map[string]float64 }
		HookDetails      map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil || event.ExecutionID == "" || event.HookDetails["kept"] != "yes" {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	answer := `{"hookStatus": "SUCCEEDED"}`
	l := f.balancer.Load()
	switch {
	case event.LifecycleStage == "PRODUCTION_TRAFFIC_SHIFT" && l != nil && !l.follows(event.ExecutionDetails.ProductionTrafficWeights):
		f.waits.Add(1)
		answer = `{"hookStatus": "IN_PROGRESS", "callBackDelay": 1}`
	case event.LifecycleStage == "POST_PRODUCTION_TRAFFIC_SHIFT" && f.refuses.Load():
		answer = `{"hookStatus": "FAILED"}`
	}
	_, _ = w.Write([]byte(answer))
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

// TestBlueGreenLosesNoRequest moves a service to its second version by hand, and
// back from its third when a function refuses it, while users ask without a pause.
func TestBlueGreenLosesNoRequest(t *testing.T) {
	t.Parallel()
	f := &follower{}
	remote := httptest.NewServer(f)
	t.Cleanup(remote.Close)
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024", "--hook", function+"="+remote.URL)
	hooks := []types.DeploymentLifecycleHook{
		{TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostTestTrafficShift}},
		{
			HookTargetArn: aws.String(function), RoleArn: aws.String("arn:aws:iam::000000000000:role/ecsInstanceRole"),
			LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStageProductionTrafficShift, types.DeploymentLifecycleHookStagePostProductionTrafficShift},
			HookDetails:     document.NewLazyDocument(map[string]string{"kept": "yes"}),
		},
	}
	b.serves(t, &ecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: aws.String(b.version(t, "one")), DesiredCount: aws.Int32(2), LaunchType: types.LaunchTypeEc2,
		DeploymentConfiguration: &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0), LifecycleHooks: hooks},
	})
	b.continues(t, b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift))
	b.comesTo(t, "web", types.ServiceDeploymentStatusSuccessful)
	l := b.balance(t, "web")
	f.balancer.Store(l)
	eventually(t, "the first version to answer", func() bool { return l.ask("/") == "one" })
	stop := l.users()

	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(b.version(t, "two"))})
	d := b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift)
	eventually(t, "the second version to get the test traffic", func() bool { return l.ask("/test") == "two" })
	if got := l.ask("/"); got != "one" {
		t.Errorf("before it was approved users heard %q", got)
	}
	b.continues(t, d)
	b.comesTo(t, "web", types.ServiceDeploymentStatusSuccessful)
	if got := l.ask("/"); got != "two" {
		t.Errorf("at the end users heard %q", got)
	}

	f.refuses.Store(true)
	b.deploys(t, &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(b.version(t, "three"))})
	b.continues(t, b.paused(t, "web", types.ServiceDeploymentLifecycleStagePostTestTrafficShift))
	back := b.comesTo(t, "web", types.ServiceDeploymentStatusRollbackSuccessful)
	if back.Rollback == nil || *back.Rollback.ServiceRevisionArn != *d.TargetServiceRevision.Arn {
		t.Error(shown(back))
	}
	if got := l.ask("/"); got != "two" {
		t.Errorf("after the rollback users heard %q", got)
	}
	heard := stop()
	for _, version := range []string{"one", "two", "three"} {
		if heard[version] == 0 {
			t.Errorf("nobody heard %s", version)
		}
		delete(heard, version)
	}
	if len(heard) > 0 || f.waits.Load() == 0 {
		t.Errorf("users heard %v; the function waited %d times", heard, f.waits.Load())
	}
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
