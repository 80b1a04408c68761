package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// containerNodes explain the containers, those in trouble first.
func (a *about) containerNodes() []*Node {
	var troubled, others []*Node
	for _, id := range a.task.Spec.Containers {
		n := a.container(id.Name)
		if reason := a.observed(id.Name).Reason; n.Hint != "" || reason != "" {
			troubled = append(troubled, n)
		} else {
			others = append(others, n)
		}
	}
	return append(troubled, others...)
}

// observed is what the agent said of a container; empty before it said anything.
func (a *about) observed(container string) *task.Container {
	i := slices.IndexFunc(a.task.Observed.Containers, func(c task.Container) bool { return c.Name == container })
	if i < 0 {
		return &task.Container{Name: container, Status: "PENDING"}
	}
	return &a.task.Observed.Containers[i]
}

// defined is the container's definition; empty when that is gone.
func (a *about) defined(container string) *workload.Container {
	i := slices.IndexFunc(a.containers, func(c workload.Container) bool { return c.Name == container })
	if i < 0 {
		return &workload.Container{Name: container}
	}
	return &a.containers[i]
}

func (a *about) container(container string) *Node {
	o, def := a.observed(container), a.defined(container)
	n := &Node{Subject: "container " + container, State: o.Status}
	if o.RestartCount > 0 {
		n.Detail = map[string]any{"restarts": o.RestartCount}
	}
	ended := a.task.LastStatus() == task.Stopped || o.Status == "STOPPED"
	switch {
	case ended:
		n.State = "STOPPED"
		a.ended(n, o, def)
	case o.Status == "RUNNING":
		a.alive(n, o)
	default:
		a.waiting(n, o, def)
	}
	return n
}

func (a *about) alive(n *Node, o *task.Container) {
	n.Says = fmt.Sprintf("Container %s is running.", o.Name)
	if a.task.LastStatus() == task.Stopping {
		n.Says = fmt.Sprintf("Container %s still runs: it was asked to end with SIGTERM, and is killed once its stop timeout is over.", o.Name)
	}
	switch o.Health {
	case task.Unhealthy:
		n.Since = o.HealthSince
		n.Says = fmt.Sprintf("Container %s is running and has been UNHEALTHY for %s: its health check fails.", o.Name, a.ago(o.HealthSince))
		n.Hint = "run the health check's command in the container by hand; give it a startPeriod if the program is slow to begin"
	case task.UnknownHealth:
		n.Says = fmt.Sprintf("Container %s is running; its health is not known yet.", o.Name)
	case task.Healthy:
		n.Says = fmt.Sprintf("Container %s is running and HEALTHY.", o.Name)
	}
	if o.Reason != "" {
		n.Says = strings.TrimSuffix(n.Says, ".") + " (" + strings.TrimSuffix(o.Reason, ".") + ")."
		n.Hint = cmp.Or(n.Hint, Hint(o.Reason))
	}
	if o.RestartCount > 0 {
		n.Says = strings.TrimSuffix(n.Says, ".") + fmt.Sprintf("; its restart policy started it again %d times.", o.RestartCount)
	}
}

// waitsForImage tells whether a container that has not started has no image yet.
func waitsForImage(o *task.Container) bool {
	return o.Status != "RUNNING" && o.Status != "STOPPED" && o.ImageDigest == ""
}

// waiting is a container that has not started.
func (a *about) waiting(n *Node, o *task.Container, def *workload.Container) {
	pull := a.task.Observed.PullStartedAt
	switch {
	case waitsForImage(o) && pull.IsZero():
		n.Says = fmt.Sprintf("Container %s waits for its image %s.", o.Name, def.Image)
	case waitsForImage(o):
		n.Since = pull
		n.Says = fmt.Sprintf("Container %s waits for its image %s, which has been pulled for %s.", o.Name, def.Image, a.ago(pull))
		n.add(a.image(def.Image))
	default:
		n.Says = fmt.Sprintf("Container %s is being started.", o.Name)
		for _, dep := range def.DependsOn {
			a.dependency(n, o, dep)
		}
	}
}

// dependency says when a container waits for another.
func (a *about) dependency(n *Node, o *task.Container, dep workload.Dependency) {
	other := a.observed(dep.ContainerName)
	met := other.Status != "PENDING" && other.Status != ""
	switch dep.Condition {
	case workload.ConditionComplete:
		met = other.Status == "STOPPED"
	case workload.ConditionSuccess:
		met = other.ExitCode != nil && *other.ExitCode == 0
	case workload.ConditionHealthy:
		met = other.Health == task.Healthy
	}
	if met {
		return
	}
	n.Says = fmt.Sprintf("Container %s waits for container %s to reach %s, which is %s.", o.Name, dep.ContainerName, dep.Condition, stateOf(other))
	n.Hint = fmt.Sprintf("look at container %s; a startTimeout bounds the wait", dep.ContainerName)
	if n.Detail == nil {
		n.Detail = map[string]any{}
	}
	n.Detail["dependsOn"] = dep.ContainerName
	n.Detail["condition"] = string(dep.Condition)
}

func stateOf(o *task.Container) string {
	if o.Health != "" && o.Status == "RUNNING" {
		return o.Status + " and " + string(o.Health)
	}
	return o.Status
}
