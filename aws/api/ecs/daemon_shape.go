package ecs

import (
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/daemon"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// presence is what the instances of a capacity provider run of a daemon.
type presence struct {
	running  int // of one revision
	draining int // with a task of the revision that is stopping
	without  int // with no running task of the daemon at all
}

// presences are those of each capacity provider of a revision.
func presences(r store.Reader, d *daemon.Daemon, rev *daemon.Revision) map[string]presence {
	out, attended := map[string]presence{}, map[string]bool{}
	for t := range store.Tasks.By(r, store.TasksOfDaemon, store.InCluster(d.ClusterARN, daemon.Group(d.Name))) {
		last := t.LastStatus()
		if t.Assignment == nil || last == task.Stopped {
			continue
		}
		attended[t.Assignment.InstanceARN] = attended[t.Assignment.InstanceARN] || last == task.Running
		n := out[t.Spec.CapacityProvider]
		switch {
		case t.Spec.StartedBy != daemon.StartedBy(rev.ARN):
		case last == task.Running:
			n.running++
		case last > task.Running:
			n.draining++
		}
		out[t.Spec.CapacityProvider] = n
	}
	for i := range store.Instances.By(r, store.InstancesByCluster, d.ClusterARN) {
		if i.OffersEC2 && i.Status == cluster.InstanceActive && !attended[i.ARN] && slices.Contains(rev.Spec.Providers, i.CapacityProvider) {
			n := out[i.CapacityProvider]
			n.without++
			out[i.CapacityProvider] = n
		}
	}
	return out
}

func showDaemon(r store.Reader, d *daemon.Daemon) *ecs.DaemonDetail {
	out := &ecs.DaemonDetail{
		DaemonArn: &d.ARN, ClusterArn: &d.ClusterARN, Status: ecs.DaemonStatus(d.Status), CurrentRevisions: []ecs.DaemonRevisionDetail{},
		DeploymentArn: member.Present(d.Deployment), CreatedAt: member.Time(d.CreatedAt), UpdatedAt: member.Time(d.UpdatedAt),
	}
	for rev := range store.DaemonRevisions.By(r, store.DaemonRevisionsByDaemon, d.ARN) {
		here := presences(r, d, rev)
		if rev.ARN != d.Revision && !runs(here) {
			continue
		}
		detail := ecs.DaemonRevisionDetail{Arn: &rev.ARN}
		running, without := 0, 0
		for _, name := range rev.Spec.Providers {
			n := here[name]
			running, without = running+n.running, without+n.without
			detail.CapacityProviders = append(detail.CapacityProviders, ecs.DaemonCapacityProvider{
				Arn: new(d.Scope.CapacityProvider(name)), RunningCount: int32Of(n.running), WithoutDaemonCount: int32Of(n.without),
			})
		}
		detail.TotalRunningCount, detail.TotalWithoutDaemonCount = int32Of(running), int32Of(without)
		out.CurrentRevisions = append(out.CurrentRevisions, detail)
	}
	return out
}

// runs tells whether there are tasks of the revision yet.
func runs(here map[string]presence) bool {
	for _, n := range here {
		if n.running+n.draining > 0 {
			return true
		}
	}
	return false
}

func showDaemonDeployment(r store.Reader, d *daemon.Deployment) ecs.DaemonDeployment {
	out := ecs.DaemonDeployment{
		DaemonDeploymentArn: &d.ARN, ClusterArn: &d.ClusterARN, Status: ecs.DaemonDeploymentStatus(d.Status), StatusReason: member.Present(d.Reason),
		TargetDaemonRevision: showDeployed(r, d, d.Target), DeploymentConfiguration: showDaemonConfiguration(&d.Configuration),
		CircuitBreaker: &ecs.DaemonCircuitBreaker{
			FailureCount: int32Of(d.Failures), Status: ecs.DaemonDeploymentRollbackMonitorsStatus(d.Breaker), Threshold: int32Of(d.Threshold),
		},
		Alarms:    &ecs.DaemonDeploymentAlarms{Status: ecs.DaemonDeploymentRollbackMonitorsStatus(d.AlarmStatus), TriggeredAlarmNames: d.Triggered},
		CreatedAt: member.Time(d.CreatedAt), StartedAt: member.Time(d.StartedAt), StoppedAt: member.Time(d.StoppedAt), FinishedAt: member.Time(d.FinishedAt),
	}
	if a := d.Configuration.Alarms; a != nil {
		out.Alarms.AlarmNames = a.Names
	}
	for _, source := range d.Sources {
		if shown := showDeployed(r, d, source); shown != nil {
			out.SourceDaemonRevisions = append(out.SourceDaemonRevisions, *shown)
		}
	}
	if b := d.Back; b != nil {
		out.Rollback = &ecs.DaemonRollback{
			Reason: &b.Reason, StartedAt: member.Time(b.Since), RollbackTargetDaemonRevisionArn: &b.Target,
			RollbackCapacityProviders: member.Each(b.Providers, func(name *string) string { return d.Scope.CapacityProvider(*name) }),
		}
	}
	return out
}

// showDeployed shows a revision of a deployment by its instances; nil when there is
// none.
func showDeployed(r store.Reader, d *daemon.Deployment, revision string) *ecs.DaemonDeploymentRevisionDetail {
	rev, ok := store.DaemonRevisions.Get(r, revision)
	owner, found := store.Daemons.Get(r, d.DaemonARN)
	if !ok || !found {
		return nil
	}
	out := &ecs.DaemonDeploymentRevisionDetail{Arn: &rev.ARN}
	var all presence
	here := presences(r, owner, rev)
	for _, name := range rev.Spec.Providers {
		n := here[name]
		all = presence{all.running + n.running, all.draining + n.draining, all.without + n.without}
		out.CapacityProviders = append(out.CapacityProviders, ecs.DaemonDeploymentCapacityProvider{
			Arn: new(d.Scope.CapacityProvider(name)), RunningInstanceCount: int32Of(n.running),
			DrainingInstanceCount: int32Of(n.draining), WithoutDaemonInstanceCount: int32Of(n.without),
		})
	}
	out.TotalRunningInstanceCount, out.TotalDrainingInstanceCount, out.TotalWithoutDaemonInstanceCount = int32Of(all.running), int32Of(all.draining), int32Of(all.without)
	return out
}

func showDaemonConfiguration(c *daemon.Configuration) *ecs.DaemonDeploymentConfiguration {
	out := &ecs.DaemonDeploymentConfiguration{DrainPercent: c.DrainPercent, BakeTimeInMinutes: int32Of(member.Value(c.BakeMinutes))}
	if out.DrainPercent == nil {
		out.DrainPercent = new(daemon.DefaultDrainPercent)
	}
	if a := c.Alarms; a != nil {
		out.Alarms = &ecs.DaemonAlarmConfiguration{AlarmNames: a.Names, Enable: &a.Enable}
	}
	return out
}

func showDaemonDeploymentSummary(d *daemon.Deployment) ecs.DaemonDeploymentSummary {
	return ecs.DaemonDeploymentSummary{
		DaemonDeploymentArn: &d.ARN, DaemonArn: &d.DaemonARN, ClusterArn: &d.ClusterARN, Status: ecs.DaemonDeploymentStatus(d.Status), StatusReason: member.Present(d.Reason),
		TargetDaemonRevisionArn: member.Present(d.Target), CreatedAt: member.Time(d.CreatedAt), StartedAt: member.Time(d.StartedAt), StoppedAt: member.Time(d.StoppedAt), FinishedAt: member.Time(d.FinishedAt),
	}
}

func showDaemonRevision(r store.Reader, d *daemon.Revision) ecs.DaemonRevision {
	out := ecs.DaemonRevision{
		DaemonRevisionArn: &d.ARN, ClusterArn: &d.ClusterARN, DaemonArn: &d.DaemonARN, DaemonTaskDefinitionArn: &d.Spec.DefinitionARN, CreatedAt: member.Time(d.CreatedAt),
		PropagateTags: ecs.DaemonPropagateTagsNone, EnableECSManagedTags: &d.Spec.ManagedTags, EnableExecuteCommand: &d.Spec.ExecuteCommand, Critical: &d.Spec.Critical,
	}
	if d.Spec.PropagateTags {
		out.PropagateTags = ecs.DaemonPropagateTagsDaemon
	}
	if def, ok := store.TaskDefinitions.Get(r, d.Spec.DefinitionARN); ok {
		out.ContainerImages = member.Each(def.Containers, func(c *workload.Container) ecs.DaemonContainerImage { return showDaemonImage(c, d.Images) })
	}
	return out
}

func showDaemonImage(c *workload.Container, known []service.Image) ecs.DaemonContainerImage {
	out := ecs.DaemonContainerImage{ContainerName: &c.Name, Image: &c.Image}
	for i := range known {
		if known[i].Container == c.Name {
			out.ImageDigest = &known[i].Digest
		}
	}
	return out
}
