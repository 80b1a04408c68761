package daemon

import (
	"slices"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
)

// move gives instances without a task theirs, and replaces older tasks step by
// step while a deployment goes on.
func (l *look) move() {
	if l.definition == nil {
		return
	}
	l.resolveImages()
	l.fill()
	if !l.underway() {
		return
	}
	if l.unsettled() {
		l.deployment.StableSince = time.Time{}
		return
	}
	if l.deployment.StableSince.IsZero() {
		l.deployment.StableSince = l.now
	}
	if due := l.deployment.StableSince.Add(l.deployment.Configuration.Bake()); l.now.Before(due) {
		l.wait(due)
		return
	}
	if len(l.old) == 0 {
		l.finish()
		return
	}
	l.step()
}

// unsettled tells whether some instance has neither a healthy task of the revision
// nor one of an older that is to be replaced yet. Those whose agent is away are
// left out: nothing can be done there.
func (l *look) unsettled() bool {
	return slices.ContainsFunc(l.instances, func(i *cluster.Instance) bool {
		m := l.fresh[i.ARN]
		return i.Connected && l.old[i.ARN] == nil && (m == nil || !m.healthy)
	})
}

// step stops the tasks that are replaced next.
func (l *look) step() {
	left := l.deployment.Configuration.Step(len(l.instances))
	for _, i := range l.instances {
		if m := l.old[i.ARN]; m != nil && left > 0 {
			l.stopTask(m.task, l.reason())
			left--
		}
	}
	l.deployment.StableSince = time.Time{}
}

// fill starts a task on each instance that has none.
func (l *look) fill() {
	if l.next.RetryAt.After(l.now) {
		l.wait(l.next.RetryAt)
		return
	}
	var board *placement.Board
	for _, i := range l.instances {
		if l.fresh[i.ARN] != nil || l.old[i.ARN] != nil || l.ending[i.ARN] || !i.Connected {
			continue
		}
		if board == nil {
			board = placement.DaemonBoard(l.view, l.was.ClusterARN)
		}
		next := l.newTask(i.CapacityProvider)
		want := assignment.Request(next, l.definition)
		if at, _, err := board.On(board.Index(i.ARN), want); err != nil || at == nil {
			l.wait(l.now.Add(placeAgain))
			continue
		}
		l.starts = append(l.starts, start{next, i, want.Demand})
	}
}

// newTask makes a task of the revision.
func (l *look) newTask(provider string) *task.Task {
	spec := task.Spec{
		ClusterARN: l.was.ClusterARN, DefinitionARN: l.definition.ARN, LaunchType: workload.EC2, CapacityProvider: provider,
		Group: daemon.Group(l.was.Name), StartedBy: daemon.StartedBy(l.revision.ARN),
		EnableExecuteCommand: l.revision.Spec.ExecuteCommand, EnableECSManagedTags: l.revision.Spec.ManagedTags,
		CPU: l.definition.CPU, Memory: l.definition.Memory,
	}
	for _, i := range l.revision.Images {
		spec.Digests = append(spec.Digests, task.ImageDigest{Container: i.Container, Digest: i.Digest})
	}
	next := task.New(l.was.Scope, arn.NameOf(l.was.ClusterARN), l.NewID(), spec, l.definition, l.uuid, l.now)
	if l.revision.Spec.PropagateTags {
		next.Tags = slices.Clone(l.was.Tags)
	}
	if l.revision.Spec.ManagedTags {
		next.Tags = append(next.Tags, workload.Tag{Key: "aws:ecs:clusterName", Value: arn.NameOf(l.was.ClusterARN)},
			workload.Tag{Key: "aws:ecs:daemonName", Value: l.was.Name})
	}
	return next
}

// uuid is a fresh id in the form of a UUID.
func (l *look) uuid() string {
	return arn.UUID(l.NewID())
}

// resolveImages fixes the images of the revision by what its first tasks found.
func (l *look) resolveImages() {
	if len(l.revision.Images) == len(l.definition.Containers) {
		return
	}
	next := *l.revision
	next.Images = slices.Clone(next.Images)
	for _, m := range l.fresh {
		next.Images = service.WithImages(next.Images, l.definition, m.task)
	}
	if len(next.Images) > len(l.revision.Images) {
		l.images = &next
	}
}
