package life_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

// serviceEvent is an event of a service as far as the test looks at it.
type serviceEvent struct {
	Type      string `json:"detail-type"`
	Source    string
	Resources []string
	Detail    struct{ EventType, EventName, ClusterArn, DeploymentId, Reason string }
}

// TestServicesMakeEvents: what a service does reaches the target of a rule.
func TestServicesMakeEvents(t *testing.T) {
	group, target := here.logTarget(t)
	here.rule(t, &eventbridge.PutRuleInput{
		Name:         aws.String("services"),
		EventPattern: aws.String(`{"source": ["aws.ecs"], "detail-type": ["ECS Service Action", "ECS Deployment State Change"]}`),
	}, target)
	family := here.register(t, onEC2(sh("app", "exec sleep 600")))
	made, err := here.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String("noted"), TaskDefinition: &family, DesiredCount: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	arn, deployment := *made.Service.ServiceArn, *made.Service.Deployments[0].Id
	t.Cleanup(func() {
		_, err := here.ecs.DeleteService(context.WithoutCancel(t.Context()), &ecs.DeleteServiceInput{Service: &arn, Force: aws.Bool(true)})
		if err != nil {
			t.Error(err)
		}
	})
	want := []string{"SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_STEADY_STATE"}
	var seen []serviceEvent
	eventually(t, "events of the service", func() bool {
		out, err := here.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
		if err != nil {
			t.Fatal(err)
		}
		seen = nil
		var names []string
		for _, line := range out.Events {
			var e serviceEvent
			if err := json.Unmarshal([]byte(*line.Message), &e); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(e.Resources, arn) {
				seen, names = append(seen, e), append(names, e.Detail.EventName)
			}
		}
		return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(names, name) })
	})
	for _, e := range seen {
		if e.Source != "aws.ecs" || e.Detail.EventType != "INFO" || e.Type == "ECS Deployment State Change" && (e.Detail.DeploymentId != deployment || e.Detail.Reason == "") {
			t.Errorf("%+v", e)
		}
	}
}
