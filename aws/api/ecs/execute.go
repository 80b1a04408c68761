package ecs

import (
	"context"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
)

// executeCommand checks what AWS checks. No session can be opened yet: a good
// request is answered as one whose container cannot be reached.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
func (a *API) executeCommand(_ context.Context, call *gateway.Call, in *ecs.ExecuteCommandRequest) (*ecs.ExecuteCommandResponse, error) {
	switch {
	case !member.Value(in.Interactive):
		return nil, invalid("Interactive is the only mode supported currently.")
	case member.Value(in.Command) == "":
		return nil, invalid("command should not be null or empty.")
	}
	v := a.store.View()
	c, err := activeCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	t, err := findTask(v, c, member.Value(in.Task))
	if err != nil {
		return nil, err
	}
	if err := checkExecutable(t, member.Value(in.Container)); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.TargetNotConnected, "The execute command failed due to an internal error. Try again later.").
		WithHint("berth cannot open sessions in containers yet; `berth run IMAGE -- COMMAND` runs a command as a task of its own")
}

// checkExecutable tells why no command can run in a container of the task.
func checkExecutable(t *task.Task, container string) error {
	switch {
	case t.LastStatus() != task.Running:
		return invalid("The execute command failed because the task is not in the RUNNING state.").WithHint("it is %s", t.LastStatus())
	case !t.Spec.EnableExecuteCommand:
		return invalid("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
	case container == "" && len(t.Spec.Containers) > 1:
		return invalid("The container name must be specified for tasks that have multiple containers.")
	}
	for _, c := range t.Spec.Containers {
		if c.Name == container || container == "" {
			return nil
		}
	}
	return invalid("The container %s was not found in the task.", container).WithHint("the task has %v", names(t))
}

func names(t *task.Task) []string {
	return member.Each(t.Spec.Containers, func(c *task.ContainerID) string { return c.Name })
}
