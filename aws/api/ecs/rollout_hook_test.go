package ecs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/rollout"
)

const checkFunction = "arn:aws:lambda:eu-central-1:000000000000:function:check"

// hooked knows one function.
func hooked(arn string) bool { return arn == checkFunction }

// planned lets the rollout planner do all it can.
func (s *server) planned() {
	s.t.Helper()
	loop := control.New(s.Store, []plan.Planner{rollout.Planner(rollout.Options{NewID: ecs.NewID})}, nil)
	for range 15 {
		if _, err := loop.Step(context.Background(), time.Now()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// newest describes the newest deployment of the service web.
func (s *server) newest() (arn string, deployment object) {
	s.t.Helper()
	arn = get(s.do("ListServiceDeployments", `{"service": "web"}`), "serviceDeployments", 0, "serviceDeploymentArn").(string)
	return arn, get(s.do("DescribeServiceDeployments", `{"serviceDeploymentArns": [%q]}`, arn), "serviceDeployments", 0).(object)
}

// TestContinueServiceDeployment takes a service without tasks through a hook for a
// person and one for a function.
func TestContinueServiceDeployment(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.do("RegisterTaskDefinition", bridgeDefinition)
	s.do("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "deploymentConfiguration": {"strategy": "CANARY", "bakeTimeInMinutes": 5,
		"lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 10, "action": "CONTINUE"}},
			{"hookTargetArn": %q, "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"], "hookDetails": {"bucket": "b"}}]}}`, checkFunction)
	s.planned()
	arn, d := s.newest()
	has(t, d, object{"status": "IN_PROGRESS", "lifecycleStage": "POST_SCALE_UP"})
	has(t, get(d, "targetServiceRevision").(object), object{"requestedTaskCount": 0.0, "requestedProductionTrafficWeight": 0.0, "requestedTestTrafficWeight": 0.0})
	hook := get(d, "lifecycleHookDetails", 0).(object)
	has(t, hook, object{"targetType": "PAUSE", "status": "AWAITING_ACTION", "timeoutAction": "CONTINUE"})
	id := hook["hookId"].(string)
	if !strings.HasPrefix(id, "ecs-pause-") || hook["expiresAt"] == nil {
		t.Errorf("%v", hook)
	}
	body := `{"serviceDeploymentArn": %q, "hookId": %q, "action": %q}`
	for _, c := range []struct{ arn, id, action, kind, message string }{
		{arn + "x", id, "CONTINUE", "ServiceDeploymentNotFoundException", "The service deployment ARN that you specified isn't found."},
		{"arn:aws:ecs:us-east-1:1:x/y", id, "CONTINUE", "InvalidParameterException", "Invalid identifier"},
		{arn, "ecs-pause-x", "CONTINUE", "InvalidParameterException", "The lifecycle hook ecs-pause-x was not found"},
		{arn, id, "WAIT", "InvalidParameterException", "action should be one of"},
	} {
		s.refused("ContinueServiceDeployment", fmt.Sprintf(body, c.arn, c.id, c.action), c.kind, c.message)
	}
	for range 2 { // repeating it is no mistake
		expect(t, "answer", get(s.do("ContinueServiceDeployment", body, arn, id, "CONTINUE"), "serviceDeploymentArn"), any(arn))
	}
	s.refused("ContinueServiceDeployment", fmt.Sprintf(body, arn, id, "ROLLBACK"), "InvalidParameterException", "The lifecycle hook "+id+" cannot be continued because its status is SUCCEEDED.")
	s.planned()
	_, d = s.newest()
	has(t, d, object{"status": "IN_PROGRESS", "lifecycleStage": "POST_PRODUCTION_TRAFFIC_SHIFT"})
	has(t, get(d, "targetServiceRevision").(object), object{"requestedProductionTrafficWeight": 100.0, "requestedTestTrafficWeight": 100.0})
	hook = get(d, "lifecycleHookDetails", 0).(object)
	has(t, hook, object{"targetType": "AWS_LAMBDA", "targetArn": checkFunction, "status": "IN_PROGRESS", "timeoutAction": "ROLLBACK"})
	s.refused("ContinueServiceDeployment", fmt.Sprintf(body, arn, hook["hookId"], "CONTINUE"), "InvalidParameterException", "The lifecycle hook "+hook["hookId"].(string)+" is not a PAUSE hook.")
	s.do("StopServiceDeployment", `{"serviceDeploymentArn": %q}`, arn)
	s.planned()
	_, d = s.newest()
	has(t, d, object{"status": "ROLLBACK_FAILED", "lifecycleHookDetails": nil})
}

// TestRefusalsOfHooks changes nothing.
func TestRefusalsOfHooks(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	s.do("RegisterTaskDefinition", bridgeDefinition)
	many := strings.Repeat(`{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]},`, 11)
	for hooks, message := range map[string]string{
		`{"hookTargetArn": "arn:aws:lambda:eu-central-1:000000000000:function:other", "lifecycleStages": ["PRE_SCALE_UP"]}`: "The lifecycle hook target arn:aws:lambda:eu-central-1:000000000000:function:other does not exist. (hint: name the address",
		`{"lifecycleStages": ["PRE_SCALE_UP"]}`:                                                                                            "hookTargetArn can not be empty",
		`{"targetType": "PAUSE", "lifecycleStages": []}`:                                                                                   "lifecycleStages can not be empty.",
		`{"targetType": "PAUSE", "lifecycleStages": ["SCALE_UP"]}`:                                                                         "lifecycle stage should be one of",
		`{"targetType": "PAUSE", "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}`:                                                               "PAUSE lifecycle hooks are not supported at the TEST_TRAFFIC_SHIFT stage.",
		`{"targetType": "PAUSE", "roleArn": "arn:aws:iam::123456789012:role/r", "lifecycleStages": ["PRE_SCALE_UP"]}`:                      "hookTargetArn and roleArn are not valid",
		`{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 20161}}`:                "1 validation error detected: Value '20161'",
		`{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 1, "action": "RETRY"}}`: "timeout action should be one of",
		`{"hookTargetArn": "` + checkFunction + `", "lifecycleStages": ["PRE_SCALE_UP"], "hookDetails": "text"}`:                           "hookDetails should be a JSON object.",
		strings.TrimSuffix(many, ","): "A service can have at most 10 lifecycle hooks of the type PAUSE.",
	} {
		s.refused("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "deploymentConfiguration": {"strategy": "BLUE_GREEN", "lifecycleHooks": [`+hooks+`]}}`,
			"InvalidParameterException", message)
	}
	expect(t, "services", get(s.do("ListServices", `{}`), "serviceArns"), any([]any{}))
	s.do("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0}`)
	s.refused("UpdateService", `{"service": "web", "deploymentConfiguration": {"lifecycleHooks": [{"hookTargetArn": "arn:aws:lambda:x", "lifecycleStages": ["PRE_SCALE_UP"]}]}}`,
		"InvalidParameterException", "The lifecycle hook target arn:aws:lambda:x does not exist.")
}
