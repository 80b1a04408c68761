package event

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEventsOfServices(t *testing.T) {
	const service, cluster = "arn:aws:ecs:eu-central-1:123456789012:service/default/web", "arn:aws:ecs:eu-central-1:123456789012:cluster/default"
	at := noon.Add(120 * time.Millisecond)
	for _, c := range []struct {
		event      Event
		detailType string
		detail     string
	}{
		{ServiceAction{Scope: scope, Name: "SERVICE_STEADY_STATE", ServiceARN: service, ClusterARN: cluster, At: at}.Event(), "ECS Service Action",
			`{"eventType":"INFO","eventName":"SERVICE_STEADY_STATE","clusterArn":"` + cluster + `","createdAt":"2026-03-04T12:00:00.12Z"}`},
		{ServiceAction{Scope: scope, Name: "SERVICE_TASK_PLACEMENT_FAILURE", ServiceARN: service, ClusterARN: cluster, CapacityProviders: []string{"arn:cp"}, Reason: "RESOURCE:FARGATE", At: at}.Event(), "ECS Service Action",
			`{"eventType":"ERROR","eventName":"SERVICE_TASK_PLACEMENT_FAILURE","clusterArn":"` + cluster + `","capacityProviderArns":["arn:cp"],"reason":"RESOURCE:FARGATE","createdAt":"2026-03-04T12:00:00.12Z"}`},
		{ServiceAction{Scope: scope, Name: "SERVICE_TASK_START_IMPAIRED", ServiceARN: service, ClusterARN: cluster, At: noon}.Event(), "ECS Service Action",
			`{"eventType":"WARN","eventName":"SERVICE_TASK_START_IMPAIRED","clusterArn":"` + cluster + `","createdAt":"2026-03-04T12:00:00Z"}`},
		{Deployment{Scope: scope, Name: "SERVICE_DEPLOYMENT_FAILED", ServiceARN: service, ID: "ecs-svc/123", Reason: "ECS deployment circuit breaker: task failed to start.", At: at}.Event(), "ECS Deployment State Change",
			`{"eventType":"ERROR","eventName":"SERVICE_DEPLOYMENT_FAILED","deploymentId":"ecs-svc/123","updatedAt":"2026-03-04T12:00:00.12Z","reason":"ECS deployment circuit breaker: task failed to start."}`},
		{Hook{Scope: scope, Name: "HOOK_AWAITING_ACTION", ServiceARN: service, ServiceDeploymentARN: "arn:sd", HookID: "h", TargetType: "PAUSE", Status: "AWAITING_ACTION", Stage: "POST_SCALE_UP", At: noon}.Event(), "ECS Hook State Change",
			`{"eventType":"INFO","eventName":"HOOK_AWAITING_ACTION","serviceDeploymentArn":"arn:sd","hookId":"h","targetType":"PAUSE","status":"AWAITING_ACTION","lifecycleStage":"POST_SCALE_UP","updatedAt":"2026-03-04T12:00:00Z"}`},
	} {
		var shown struct {
			ID, Source, Account, Time, Region string
			Type                              string `json:"detail-type"`
			Resources                         []string
			Detail                            json.RawMessage
		}
		if err := json.Unmarshal(c.event.JSON(), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.Source != "aws.ecs" || shown.Type != c.detailType || shown.Account != scope.Account || shown.Region != scope.Region ||
			shown.Time != "2026-03-04T12:00:00Z" || len(shown.Resources) != 1 || shown.Resources[0] != service || len(shown.ID) != 36 {
			t.Errorf("envelope %+v", shown)
		}
		if string(shown.Detail) != c.detail {
			t.Errorf("got  %s\nwant %s", shown.Detail, c.detail)
		}
	}
}

func TestTheSameEventHasTheSameID(t *testing.T) {
	failure := ScheduledTaskFailure{Rule: rule, TargetID: "t", Firing: noon, Code: "ClientException", Reason: "TaskDefinition not found.", At: noon}
	again, other := failure, failure
	again.At, other.Firing = noon.Add(time.Minute), noon.Add(time.Minute)
	if failure.Event().ID != again.Event().ID || failure.Event().ID == other.Event().ID {
		t.Error("ids do not tell firings apart")
	}
	if ID("ab", "c") == ID("a", "bc") {
		t.Error("ids do not tell parts apart")
	}
}
