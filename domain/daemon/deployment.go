package daemon

import (
	"math"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/service"
)

// DefaultDrainPercent is how much of the instances is updated at once where
// nothing was said.
const DefaultDrainPercent = 25.0

// Configuration is how a deployment goes about.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-daemons-deployments.html
type Configuration struct {
	DrainPercent *float64 // of the instances at once; nil when not given
	Alarms       *Alarms  // nil when not given
	BakeMinutes  *int     // to watch after each step; nil when not given
}

// Alarms are CloudWatch alarms that fail a deployment.
type Alarms struct {
	Names  []string
	Enable bool
}

// Step is how many of so many instances are updated at once: at least one.
func (c *Configuration) Step(instances int) int {
	percent := DefaultDrainPercent
	if c.DrainPercent != nil {
		percent = *c.DrainPercent
	}
	return max(1, int(math.Floor(float64(instances)*percent/100)))
}

// Bake is how long each step is watched.
func (c *Configuration) Bake() time.Duration {
	if c.BakeMinutes == nil {
		return 0
	}
	return time.Duration(*c.BakeMinutes) * time.Minute
}

// Deployment is one move of a daemon's instances from the revisions they run to
// another. The API makes it; everything after is the planner's.
type Deployment struct {
	Scope         arn.Scope
	ARN           string // primary key
	DaemonARN     string
	ClusterARN    string
	Target        string   // ARN of the revision; empty when the daemon is deleted
	Sources       []string // ARNs of the revisions that ran before
	Configuration Configuration

	Status      service.RolloutStatus
	Reason      string
	Breaker     service.MonitorStatus
	Failures    int // tasks of the target that failed
	Threshold   int // failures that are too many; 0 before it has started
	AlarmStatus service.MonitorStatus
	Triggered   []string  // alarms
	Back        *Rollback // nil without one
	StableSince time.Time // when the present step was done; zero while it is not

	CreatedAt, StartedAt, StoppedAt, FinishedAt time.Time
}

// Rollback is the way back of a deployment that failed.
type Rollback struct {
	Target    string // ARN of the revision
	Reason    string
	Since     time.Time
	Providers []string
}

// Begin makes a revision what the daemon's instances are to run, and the
// deployment that brings it there. What was under way before is the caller's to
// end.
func (d *Daemon) Begin(r *Revision, arn string, c Configuration, now time.Time) *Deployment {
	out := d.newDeployment(arn, now)
	out.Target, out.Configuration, out.Breaker = r.ARN, c, service.MonitorMonitoring
	if c.Alarms != nil && c.Alarms.Enable {
		out.AlarmStatus = service.MonitorMonitoring
	}
	d.Revision, d.Spec = r.ARN, r.Spec
	d.Pause, d.RetryAt, d.FailedAt = 0, time.Time{}, time.Time{}
	return out
}

// Delete makes the deployment that takes the daemon from its instances.
func (d *Daemon) Delete(arn string, now time.Time) *Deployment {
	out := d.newDeployment(arn, now)
	d.Status = Deleting
	return out
}

func (d *Daemon) newDeployment(arn string, now time.Time) *Deployment {
	out := &Deployment{
		Scope: d.Scope, ARN: arn, DaemonARN: d.ARN, ClusterARN: d.ClusterARN, Status: service.Pending,
		Breaker: service.MonitorDisabled, AlarmStatus: service.MonitorDisabled, CreatedAt: now,
	}
	if d.Revision != "" {
		out.Sources = []string{d.Revision}
	}
	d.Deployment, d.UpdatedAt = arn, now
	return out
}

// Goal is the revision that the deployment moves to at the moment.
func (d *Deployment) Goal() string {
	if d.Back != nil {
		return d.Back.Target
	}
	return d.Target
}

// End settles the deployment.
func (d *Deployment) End(status service.RolloutStatus, reason string, now time.Time) {
	d.Status, d.Reason, d.FinishedAt = status, reason, now
	if status != service.Successful && d.StoppedAt.IsZero() {
		d.StoppedAt = now
	}
	for _, m := range []*service.MonitorStatus{&d.Breaker, &d.AlarmStatus} {
		if *m == service.MonitorMonitoring {
			*m = service.MonitorComplete
		}
	}
}

// Supersede ends a deployment that another one takes the place of.
func (d *Deployment) Supersede(now time.Time) {
	d.End(service.Stopped, "The daemon deployment was stopped because a new daemon deployment was started.", now)
}
