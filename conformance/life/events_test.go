package life_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// eventRole is the role of targets: it may run tasks and call API destinations.
func (b *berth) eventRole(t *testing.T) *string {
	t.Helper()
	return aws.String(b.role(t, "events", "events.amazonaws.com", "ecs:RunTask", "iam:PassRole", "events:InvokeApiDestination"))
}

// events is EventBridge's client.
func (b *berth) bridge() *eventbridge.Client { return eventbridge.NewFromConfig(b.config()) }

// rule makes a rule with one target, and removes both with the test.
func (b *berth) rule(t *testing.T, in *eventbridge.PutRuleInput, target eventtypes.Target) {
	t.Helper()
	target.Id = aws.String("t")
	if _, err := b.bridge().PutRule(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := b.bridge().RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: in.Name, Ids: []string{"t"}}); err != nil {
			t.Error(err)
		}
		if _, err := b.bridge().DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: in.Name}); err != nil {
			t.Error(err)
		}
	})
	out, err := b.bridge().PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: in.Name, Targets: []eventtypes.Target{target}})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatal(shown(out), err)
	}
}

// logTarget makes a log group for events.
func (b *berth) logTarget(t *testing.T) (group string, target eventtypes.Target) {
	t.Helper()
	group = "/aws/events/" + t.Name()
	if _, err := b.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}); err != nil {
		t.Fatal(err)
	}
	return group, eventtypes.Target{Arn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:" + group)}
}

// taskEvent is an event of a task as far as the tests look at it.
type taskEvent struct {
	ID, Account, Region, Source string
	Type                        string `json:"detail-type"`
	Time                        time.Time
	Resources                   []string
	Detail                      struct {
		TaskArn, ClusterArn, LastStatus, DesiredStatus, StopCode, StoppedReason, LaunchType, TaskDefinitionArn string
		StartedAt, StoppedAt, UpdatedAt                                                                        time.Time
		Version                                                                                                int
		Containers                                                                                             []struct {
			Name, LastStatus string
			ExitCode         *int
		}
	}
}

// happened are the events in a group, in order.
func (b *berth) happened(t *testing.T, group string) (list []taskEvent) {
	t.Helper()
	out, err := b.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range out.Events {
		var e taskEvent
		if err := json.Unmarshal([]byte(*line.Message), &e); err != nil {
			t.Fatalf("%s: %v", *line.Message, err)
		}
		list = append(list, e)
	}
	return list
}

func TestEventsOfATaskReachALogGroup(t *testing.T) {
	t.Parallel()
	d := onEC2(sh("app", "exit 5"))
	here.register(t, d)
	group, target := here.logTarget(t)
	pattern := fmt.Sprintf(`{"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"group": ["family:%s"]}}`, *d.Family)
	here.rule(t, &eventbridge.PutRuleInput{Name: aws.String(t.Name()), EventPattern: &pattern}, target)
	arn := here.run(t, d)
	here.stopped(t, arn)
	var list []taskEvent
	eventually(t, "the event of the end", func() bool {
		list = here.happened(t, group)
		return len(list) > 0 && slices.ContainsFunc(list, func(e taskEvent) bool { return e.Detail.LastStatus == "STOPPED" })
	})
	seen := map[string]taskEvent{}
	version := 0
	for _, e := range list {
		if e.Source != "aws.ecs" || e.Type != "ECS Task State Change" || e.Account != "000000000000" || e.Region != "us-east-1" ||
			!slices.Equal(e.Resources, []string{arn}) || e.Detail.TaskArn != arn || e.Detail.LaunchType != "EC2" || e.Detail.UpdatedAt.IsZero() {
			t.Errorf("event %s", shown(e))
		}
		if e.Detail.Version <= version {
			t.Errorf("version %d after %d", e.Detail.Version, version)
		}
		version = e.Detail.Version
		seen[e.Detail.LastStatus] = e
	}
	if _, ok := seen["PENDING"]; !ok {
		t.Errorf("no event of PENDING: %s", shown(list))
	}
	if e, ok := seen["RUNNING"]; !ok || e.Detail.StartedAt.IsZero() {
		t.Errorf("no event of RUNNING: %s", shown(list))
	}
	end := seen["STOPPED"].Detail
	if end.StopCode != "EssentialContainerExited" || len(end.Containers) != 1 || end.Containers[0].ExitCode == nil || *end.Containers[0].ExitCode != 5 || end.StoppedAt.IsZero() {
		t.Errorf("the end: %s", shown(end))
	}
}

func TestEventsOfMyOwn(t *testing.T) {
	t.Parallel()
	group, target := here.logTarget(t)
	here.rule(t, &eventbridge.PutRuleInput{Name: aws.String(t.Name()), EventPattern: aws.String(`{"source": ["life"], "detail": {"n": [{"numeric": [">", 1]}]}}`)}, target)
	var entries []eventtypes.PutEventsRequestEntry
	for n := range 4 {
		entries = append(entries, eventtypes.PutEventsRequestEntry{Source: aws.String("life"), DetailType: aws.String("n"), Detail: aws.String(fmt.Sprintf(`{"n": %d}`, n))})
	}
	out, err := here.bridge().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatal(shown(out), err)
	}
	eventually(t, "two events", func() bool { return len(here.happened(t, group)) == 2 })
	for _, e := range here.happened(t, group) {
		if e.ID != *out.Entries[2].EventId && e.ID != *out.Entries[3].EventId {
			t.Errorf("event %s", shown(e))
		}
	}
}

func TestEventsOfAScheduleRunTasks(t *testing.T) {
	t.Parallel()
	d := onEC2(sh("app", "echo default"))
	definition := here.register(t, d)
	name := aws.String(t.Name())
	here.rule(t, &eventbridge.PutRuleInput{Name: name, ScheduleExpression: aws.String("rate(1 minute)")}, eventtypes.Target{
		Arn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/default"), RoleArn: here.eventRole(t),
		Input:         aws.String(`{"containerOverrides": [{"name": "app", "command": ["sh", "-c", "echo scheduled"]}]}`),
		EcsParameters: &eventtypes.EcsParameters{TaskDefinitionArn: &definition, TaskCount: aws.Int32(1), LaunchType: eventtypes.LaunchTypeEc2},
	})
	var arn string
	eventually(t, "a scheduled task", func() bool {
		for _, desired := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
			out, err := here.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{Family: d.Family, DesiredStatus: desired})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.TaskArns) > 0 {
				arn = out.TaskArns[0]
			}
		}
		return arn != ""
	})
	end := here.stopped(t, arn)
	if by := aws.ToString(end.StartedBy); by != "events-rule/"+t.Name() {
		t.Errorf("started by %s", by)
	}
	if out := here.output(t, arn, "app"); !strings.Contains(out, "scheduled") {
		t.Errorf("printed %q", out)
	}
}

func TestEventsReachAnHTTPEndpoint(t *testing.T) {
	t.Parallel()
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- r.Header.Get("X-Token") + " " + string(body)
	}))
	defer server.Close()
	connection, err := here.bridge().CreateConnection(t.Context(), &eventbridge.CreateConnectionInput{
		Name: aws.String("life"), AuthorizationType: eventtypes.ConnectionAuthorizationTypeApiKey,
		AuthParameters: &eventtypes.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &eventtypes.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("X-Token"), ApiKeyValue: aws.String("hush")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	destination, err := here.bridge().CreateApiDestination(t.Context(), &eventbridge.CreateApiDestinationInput{
		Name: aws.String("life"), ConnectionArn: connection.ConnectionArn, InvocationEndpoint: aws.String(server.URL + "/hook"), HttpMethod: eventtypes.ApiDestinationHttpMethodPost,
	})
	if err != nil {
		t.Fatal(err)
	}
	here.rule(t, &eventbridge.PutRuleInput{Name: aws.String(t.Name()), EventPattern: aws.String(`{"source": ["life.http"]}`)}, eventtypes.Target{
		Arn: destination.ApiDestinationArn, RoleArn: here.eventRole(t), InputPath: aws.String("$.detail"),
	})
	_, err = here.bridge().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{
		{Source: aws.String("life.http"), DetailType: aws.String("t"), Detail: aws.String(`{"n":1}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-got:
		if text != `hush {"n":1}` {
			t.Errorf("got %s", text)
		}
	case <-time.After(patience):
		t.Error("no request came")
	}
}

func TestEventsAndTheirRulesOutliveARestart(t *testing.T) {
	t.Parallel()
	b := ownBerth(t)
	d := onEC2(sh("app", "exit 0"))
	definition := b.register(t, d)
	group, target := b.logTarget(t)
	pattern := fmt.Sprintf(`{"detail": {"group": ["family:%s"], "lastStatus": ["STOPPED"]}}`, *d.Family)
	b.rule(t, &eventbridge.PutRuleInput{Name: aws.String("stops"), EventPattern: &pattern}, target)
	b.rule(t, &eventbridge.PutRuleInput{Name: aws.String("yearly"), ScheduleExpression: aws.String("cron(0 3 1 1 ? *)")}, eventtypes.Target{
		Arn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/default"), RoleArn: b.eventRole(t),
		InputTransformer: &eventtypes.InputTransformer{InputPathsMap: map[string]string{"at": "$.time"}, InputTemplate: aws.String(`{"cpu": <at>}`)},
		EcsParameters:    &eventtypes.EcsParameters{TaskDefinitionArn: &definition, TaskCount: aws.Int32(3), Tags: []eventtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}},
	})
	targets := func() string {
		out, err := b.bridge().ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("yearly")})
		if err != nil {
			t.Fatal(err)
		}
		return shown(out.Targets)
	}
	before := targets()
	b.restart(t)
	if after := targets(); after != before {
		t.Errorf("before the restart %s, after it %s", before, after)
	}
	arn := b.run(t, d)
	eventually(t, "the event of the end", func() bool {
		return slices.ContainsFunc(b.happened(t, group), func(e taskEvent) bool { return e.Detail.TaskArn == arn })
	})
}
