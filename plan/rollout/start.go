package rollout

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// start is a task to make, with its place where it has one already.
type start struct {
	task   *task.Task
	place  *cluster.Instance // nil when plan/assignment is to find one
	demand cluster.Demand
	zone   string // that it is to even out; empty for others
}

// begin starts up to n tasks of a deployment. It tells whether some found no place.
func (l *look) begin(c *crew, n int) (blocked bool) {
	if n <= 0 {
		return false
	}
	if retry := c.deployment.RetryAt; retry.After(l.now) {
		l.wait(retry)
		return false
	}
	rev, ok := l.revision(c.deployment.RevisionARN)
	if !ok || c.definition == nil {
		return false // deleted under the service: nothing can be started
	}
	if n > maxStarts {
		n = maxStarts
		l.wait(l.now)
	}
	template := l.template(c, rev)
	if template.LaunchType == workload.EC2 {
		return l.placed(c, rev, template, n)
	}
	for _, provider := range l.providers(c, template, n) {
		l.starts = append(l.starts, start{task: l.newTask(c, rev, template, provider)})
	}
	return false
}

// template is the revision's. Where capacity is changed without a deployment, the
// primary one goes by what is asked for now.
func (l *look) template(c *crew, rev *service.Revision) *service.Template {
	t := rev.Template
	if c.deployment.Status == service.Primary {
		t.LaunchType, t.Providers = l.next.Spec.Template.LaunchType, l.next.Spec.Template.Providers
	}
	return &t
}

// providers are the capacity providers of the next n tasks; empty ones without a
// strategy.
func (l *look) providers(c *crew, t *service.Template, n int) []string {
	if len(t.Providers) == 0 {
		return make([]string, n)
	}
	return cluster.SpreadOver(t.Providers, c.providers, n)
}

// placed starts tasks on container instances, as long as there is a place.
func (l *look) placed(c *crew, rev *service.Revision, t *service.Template, n int) (blocked bool) {
	board := placement.ClusterBoard(l.view, l.was.ClusterARN)
	var series *placement.Series
	for range n {
		next := l.newTask(c, rev, t, "")
		want := assignment.Request(next, c.definition)
		if series == nil {
			var err error
			if series, err = board.Series(want); err != nil {
				l.unplaced(nil, err.Error())
				return true
			}
		}
		at, refusals := series.Place(want.Seed)
		if at == nil {
			l.unplaced(refusals, "")
			return true
		}
		l.starts = append(l.starts, start{task: next, place: at.Instance, demand: want.Demand})
	}
	l.resolved("placement")
	return false
}

// unplaced says that a task finds no place, and looks again soon.
func (l *look) unplaced(refusals []placement.Refusal, trouble string) {
	l.wait(l.now.Add(placeAgain))
	e := service.Event{Name: service.PlacementFailure}
	closest := nearest(refusals)
	switch {
	case trouble != "":
		e.Message, e.Reason = l.next.Say("was unable to place a task. Reason: %s", trouble), trouble
	case closest == nil:
		e.Message, e.Reason = l.next.SayUnplaced("", ""), "EMPTY CLUSTER"
	default:
		e.Message, e.Reason = l.next.SayUnplaced(arn.NameOf(closest.InstanceARN), service.Refusal(closest.Reason)), closest.Reason
		if closest.Detail != "" {
			e.Message += " (" + closest.Detail + ")"
		}
	}
	l.notice("placement", e)
}

// nearest is the refusal of the instance that lacks the least: room rather than an
// attribute, an attribute rather than an agent.
func nearest(refusals []placement.Refusal) *placement.Refusal {
	rank := func(r *placement.Refusal) int {
		switch {
		case strings.HasPrefix(r.Reason, "RESOURCE:"):
			return len(r.Lacks)
		case r.Reason == "AGENT" || r.Reason == "INACTIVE" || r.Reason == "DRAINING":
			return 200
		}
		return 100
	}
	var best *placement.Refusal
	for i := range refusals {
		if best == nil || rank(&refusals[i]) < rank(best) {
			best = &refusals[i]
		}
	}
	return best
}

// newTask makes a task of the deployment.
func (l *look) newTask(c *crew, rev *service.Revision, t *service.Template, provider string) *task.Task {
	spec := task.Spec{
		ClusterARN: l.was.ClusterARN, DefinitionARN: c.definition.ARN, LaunchType: t.LaunchType,
		Group: service.Group(l.was.Name), StartedBy: c.deployment.ID, NetworkConfiguration: t.Network,
		PlatformVersion: t.Platform(), PlatformFamily: t.PlatformFamily, CapacityProvider: provider,
		EnableExecuteCommand: l.next.Spec.ExecuteCommand, EnableECSManagedTags: l.next.Spec.ManagedTags,
		Constraints: l.next.Spec.Constraints, Strategy: l.next.Spec.Strategy, EphemeralStorageGiB: t.EphemeralStorageGiB,
		CPU: c.definition.CPU, Memory: c.definition.Memory, Links: t.Links(c.deployment.Alternate), Namespace: t.Connects(),
	}
	if provider != "" {
		spec.LaunchType = cluster.LaunchTypeOf(provider)
	}
	for _, i := range rev.Images {
		spec.Digests = append(spec.Digests, task.ImageDigest{Container: i.Container, Digest: i.Digest})
	}
	id := l.NewID()
	next := task.New(l.was.Scope, arn.NameOf(l.was.ClusterARN), id, spec, c.definition, l.uuid, l.now)
	next.Tags = l.tags(c.definition)
	return next
}

// tags of a new task: those that are propagated, then those that ECS manages.
func (l *look) tags(def *workload.Definition) []workload.Tag {
	var tags []workload.Tag
	switch l.next.Spec.PropagateTags {
	case "SERVICE":
		tags = slices.Clone(l.next.Tags)
	case "TASK_DEFINITION":
		tags = slices.Clone(def.Tags)
	}
	if l.next.Spec.ManagedTags {
		tags = append(tags, workload.Tag{Key: "aws:ecs:clusterName", Value: arn.NameOf(l.was.ClusterARN)},
			workload.Tag{Key: "aws:ecs:serviceName", Value: l.was.Name})
	}
	return tags
}

// uuid is a fresh id in the form of a UUID.
func (l *look) uuid() string {
	return arn.UUID(l.NewID())
}

func (l *look) revision(arn string) (*service.Revision, bool) {
	for _, r := range l.revisions {
		if r.ARN == arn {
			return r, true
		}
	}
	return store.ServiceRevisions.Get(l.view, arn)
}

// resolveImages fixes the images of revisions by the digests that their first tasks
// found.
func (l *look) resolveImages() {
	for _, c := range l.crews {
		rev, ok := store.ServiceRevisions.Get(l.view, c.deployment.RevisionARN)
		if !ok || c.definition == nil || len(rev.Images) == len(c.definition.Containers) {
			continue
		}
		next := *rev
		next.Images = slices.Clone(rev.Images)
		for i := range c.members {
			addImages(&next, c.definition, c.members[i].task)
		}
		if len(next.Images) > len(rev.Images) {
			l.revisions = append(l.revisions, &next)
		}
	}
}

func addImages(r *service.Revision, def *workload.Definition, t *task.Task) {
	r.Images = service.WithImages(r.Images, def, t)
}
