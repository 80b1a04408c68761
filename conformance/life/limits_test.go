package life_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Proves 6B.2.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*definition{
		"container on EC2": onEC2(container("app", probe, "eat", "200")),
		"task on EC2":      {ContainerDefinitions: []types.ContainerDefinition{unbounded("eat", "400")}, Memory: aws.String("100")},
		"task on Fargate":  onFargate(unbounded("eat", "900")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := here.stopped(t, here.run(t, d))
			if exited(t, end, "app") != 137 || !strings.Contains(aws.ToString(end.Containers[0].Reason), "OutOfMemoryError") {
				t.Error(summary(end))
			}
		})
	}
}

// unbounded has no limit of its own.
func unbounded(command ...string) types.ContainerDefinition {
	c := container("app", probe, command...)
	c.Memory = nil
	return c
}

// Proves 6B.2.
func TestShareOfProcessors(t *testing.T) {
	t.Parallel()
	ec2 := onEC2(unbounded("spin", "5"))
	ec2.Cpu, ec2.Memory = aws.String("256"), aws.String("128")
	for name, d := range map[string]*definition{"EC2": ec2, "Fargate": onFargate(unbounded("spin", "5"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			share, err := strconv.ParseFloat(here.prints(t, d), 64)
			if err != nil {
				t.Fatal(err)
			}
			if share <= 0.01 || share > 0.4 {
				t.Errorf("a quarter of a processor came out as %.3f", share)
			}
		})
	}
}
