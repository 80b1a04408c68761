package roads_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// said are the names that so many answers at a port came from.
func (s *shifting) said(t *testing.T, port, n int) map[string]int {
	t.Helper()
	names := map[string]int{}
	for range n {
		by, err := exchange(t.Context(), http.MethodGet, fmt.Sprintf("http://%s:%d/", s.node, port), "")
		if err != nil {
			t.Fatal(err)
		}
		names[by]++
	}
	return names
}

// hears waits until one name answers at a port, and checks that it goes on to.
func (s *shifting) hears(t *testing.T, port int, want string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q at port %d", want, port), func() bool { return s.said(t, port, 1)[want] == 1 })
	if got := s.said(t, port, 20); got[want] != 20 {
		t.Errorf("at port %d %v, not %q", port, got, want)
	}
}

// TestBlueGreenUnderLoad moves all traffic of a service to its next revision at once, by
// the rules of a balancer, stopping at each stage to see what answers; then back, as
// somebody asks for it, and once more as an alarm does. No request fails.
//
// Proves 4A.3, blue-green-built, load-balancers.
func TestBlueGreenUnderLoad(t *testing.T) {
	s := here.shifts(t, 2, &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)})
	s.hears(t, 80, "one")
	s.roleCannotLead(t)
	people := crowd(t, s.node, "GET", "POST", "WebSocket", "gRPC")
	stages := pauses(
		types.DeploymentLifecycleHookStagePreScaleUp, types.DeploymentLifecycleHookStagePostScaleUp, types.DeploymentLifecycleHookStagePostTestTrafficShift,
		types.DeploymentLifecycleHookStagePreProductionTrafficShift, types.DeploymentLifecycleHookStagePostProductionTrafficShift,
	)
	s.deploys(t, "two", &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0), LifecycleHooks: stages})
	s.passes(t, "one", "two", 2)
	here.comesTo(t, s.service, types.ServiceDeploymentStatusSuccessful)
	here.healthy(t, s.http.primary, 0)
	here.healthy(t, s.http.alternate, 2)

	s.deploys(t, "three", nil)
	s.passes(t, "two", "three", 2)
	here.comesTo(t, s.service, types.ServiceDeploymentStatusSuccessful)
	s.goesBack(t)
	people.content(t)
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		if people.heard[name] == 0 {
			t.Errorf("nobody heard %s", name)
		}
	}
}

// passes sees a revision through all stages at which a person may be waited for.
func (s *shifting) passes(t *testing.T, blue, green string, tasks int32) {
	t.Helper()
	for _, at := range []struct {
		stage            string
		production, test string
		share            float64
		running          int32 // of green
	}{
		{"PRE_SCALE_UP", blue, blue, 0, 0},
		{"POST_SCALE_UP", blue, blue, 0, tasks},
		{"POST_TEST_TRAFFIC_SHIFT", blue, green, 0, tasks},
		{"PRE_PRODUCTION_TRAFFIC_SHIFT", blue, green, 0, tasks},
		{"POST_PRODUCTION_TRAFFIC_SHIFT", green, green, 100, tasks},
	} {
		d := here.paused(t, s.service, at.stage, at.share)
		s.hears(t, 80, at.production)
		s.hears(t, testPort, at.test)
		if n := d.TargetServiceRevision.RunningTaskCount; n != at.running || d.SourceServiceRevisions[0].RunningTaskCount != tasks {
			t.Errorf("at %s green has %d tasks, blue %d", at.stage, n, d.SourceServiceRevisions[0].RunningTaskCount)
		}
		here.continues(t, d)
	}
}

// goesBack rolls back from where all traffic has shifted: when asked to, and when an
// alarm goes off.
func (s *shifting) goesBack(t *testing.T) {
	t.Helper()
	alarm := here.alarm(t)
	baking := &types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(60), LifecycleHooks: []types.DeploymentLifecycleHook{},
		Alarms: &types.DeploymentAlarms{AlarmNames: []string{alarm}, Enable: true, Rollback: true},
	}
	baked := func(says string) *types.ServiceDeployment {
		s.deploys(t, says, baking)
		d := here.rolled(t, s.service, "baking", func(d *types.ServiceDeployment) bool {
			return d.LifecycleStage == types.ServiceDeploymentLifecycleStageBakeTime
		})
		s.hears(t, 80, says)
		return d
	}
	d := baked("four")
	if _, err := here.ecs.StopServiceDeployment(t.Context(), &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: d.ServiceDeploymentArn, StopType: types.StopServiceDeploymentStopTypeRollback,
	}); err != nil {
		t.Fatal(err)
	}
	s.hears(t, 80, "three")
	here.comesTo(t, s.service, types.ServiceDeploymentStatusRollbackSuccessful)

	baked("five")
	begun := time.Now()
	if _, err := here.cw.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &alarm, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("a test")}); err != nil {
		t.Fatal(err)
	}
	s.hears(t, 80, "three")
	t.Logf("from the alarm to all traffic back: less than %v", time.Since(begun).Round(time.Millisecond))
	if d := here.comesTo(t, s.service, types.ServiceDeploymentStatusRollbackSuccessful); d.Alarms.TriggeredAlarmNames[0] != alarm || d.Rollback == nil {
		t.Errorf("%+v %+v", d.Alarms, d.Rollback)
	}
	here.stable(t, s.service)
}

// alarm makes an alarm that nothing but a person sets off.
func (b *berth) alarm(t *testing.T) string {
	t.Helper()
	name := family(t)
	if _, err := b.cw.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Roads"), MetricName: aws.String("errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold, TreatMissingData: aws.String("ignore"),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := b.cw.DeleteAlarms(after(t), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}); err != nil {
			t.Error(err)
		}
	})
	return name
}
