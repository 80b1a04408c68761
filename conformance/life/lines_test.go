package life_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// events are what a container of a task printed, one by one.
func (b *berth) events(t *testing.T, arn, name string) (messages []string) {
	t.Helper()
	out, err := b.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String(logGroup), LogStreamName: aws.String("t/" + name + "/" + id(arn)), StartFromHead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Events {
		messages = append(messages, *e.Message)
	}
	return messages
}

// logging changes options of a container's log configuration.
func logging(c types.ContainerDefinition, options map[string]string) types.ContainerDefinition {
	for k, v := range options {
		c.LogConfiguration.Options[k] = v
	}
	return c
}

// TestLinesThatBelongTogetherAreOneEvent has a program print stack traces.
//
// Proves awslogs.
func TestLinesThatBelongTogetherAreOneEvent(t *testing.T) {
	t.Parallel()
	script := `echo '[2026-01-02 03:04:05] one'; echo '  at a'; echo '  at b'; echo '[2026-01-02 03:04:06] two'; sleep 2; echo '[2026-01-02 03:04:07] three'; printf '  the end'`
	together := []string{"[2026-01-02 03:04:05] one\n  at a\n  at b", "[2026-01-02 03:04:06] two", "[2026-01-02 03:04:07] three\n  the end"}
	apart := []string{"[2026-01-02 03:04:05] one", "  at a", "  at b", "[2026-01-02 03:04:06] two", "[2026-01-02 03:04:07] three", "  the end"}
	for name, c := range map[string]struct {
		options map[string]string
		want    []string
	}{
		"pattern":  {map[string]string{"awslogs-multiline-pattern": `^\[20`}, together},
		"datetime": {map[string]string{"awslogs-datetime-format": `\[%Y-%m-%d %H:%M:%S\]`}, together},
		"neither":  {nil, apart},
	} {
		for launch, on := range map[string]func(...types.ContainerDefinition) *definition{"EC2": onEC2, "Fargate": onFargate} {
			t.Run(name+" on "+launch, func(t *testing.T) {
				t.Parallel()
				arn := here.run(t, on(logging(sh("app", script), c.options)))
				here.stopped(t, arn)
				if got := here.events(t, arn, "app"); !slices.Equal(got, c.want) {
					t.Errorf("%q", got)
				}
			})
		}
	}
}
