package rollout

import (
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// examine has the target group of an Express gateway service's deployment that begins
// checked at the path of its revision: the one that was in it before may have had
// another.
func (l *look) examine(tx *store.Tx) {
	e := l.next.Spec.Template.Express
	if e == nil || l.rollout == nil || l.rollout.Stage == "" || l.rollout.Status != service.RolloutInProgress {
		return
	}
	d := l.next.Deployment(l.rollout.DeploymentID)
	if before, _ := store.Rollouts.Get(l.view, l.rollout.ARN); before.Stage != "" || d == nil {
		return
	}
	for _, arn := range l.next.Spec.Template.Groups(d.Alternate) {
		if g, ok := store.TargetGroups.Get(tx, arn); ok && g.HealthCheck.Path != e.HealthCheckPath {
			next := *g
			next.HealthCheck.Path = e.HealthCheckPath
			next.Version++
			store.TargetGroups.Put(tx, &next)
		}
	}
}
