// Package assignment gives places to the tasks that wait for one: those on
// Fargate and of services, which no request places. It asks plan/placement and
// writes the task's Assignment.
package assignment

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/placement"
	"github.com/berthhq/berth/store"
)

// Options of the planner.
type Options struct {
	// Patience is how long a task waits for a place before it is stopped, as
	// AWS stops tasks that stay in PROVISIONING; 0 for 15 minutes.
	Patience time.Duration
}

const (
	defaultPatience = 15 * time.Minute
	// maxPlacements bounds one look, so that the first of many tasks start
	// while the others are being placed.
	maxPlacements = 500
	// maxRefusals is how many instances a reason names.
	maxRefusals = 3
)

// AWS's words for a task that found no room.
const noCapacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone"

// Planner makes the planner.
func Planner(o Options) plan.Planner {
	patience := cmp.Or(o.Patience, defaultPatience)
	return plan.Planner{
		Name:  "assignment",
		Wakes: []store.Descriptor{store.Tasks, store.Instances, store.Interfaces},
		Look: func(v *store.View, now time.Time) plan.Decision {
			l := &look{view: v, now: now, patience: patience, boards: map[string]*placement.Board{}, series: map[string]*placement.Series{}, hopeless: map[string]string{}}
			l.all()
			return l.out
		},
	}
}

type look struct {
	view     *store.View
	now      time.Time
	patience time.Duration
	boards   map[string]*placement.Board  // by cluster; the empty key is Fargate's
	series   map[string]*placement.Series // by what tasks of equal requests share
	// hopeless remembers why tasks of a shape found no place, so that of many
	// equal ones only the first asks every instance.
	hopeless map[string]string
	// short is true once a task on demand found no room on Fargate's machines.
	// What is free there, or soon will be, is then not for Spot.
	short bool
	out   plan.Decision
}

// all looks at each task, those on Fargate Spot last: they have what is spare.
func (l *look) all() {
	var spot []*task.Task
	for t := range store.Tasks.By(l.view, store.TasksByPhase, store.Unplaced) {
		if t.Spec.CapacityProvider == cluster.FargateSpotProvider {
			spot = append(spot, t)
		} else if !l.one(t) {
			return
		}
	}
	for _, t := range spot {
		if !l.one(t) {
			return
		}
	}
}

// one looks at a task, unless the look has done enough.
func (l *look) one(t *task.Task) bool {
	if len(l.out.Changes) == maxPlacements {
		l.out.Again = l.now
		return false
	}
	l.task(t)
	return true
}

func (l *look) task(t *task.Task) {
	def, ok := store.TaskDefinitions.Get(l.view, t.Spec.DefinitionARN)
	if !ok {
		l.stop(t, "Task definition "+t.Spec.DefinitionARN+" no longer exists")
		return
	}
	request := Request(t, def)
	shape := shapeOf(t, request)
	why, known := l.hopeless[shape]
	if !known {
		var found *placement.Placement
		if found, why = l.place(t, request); found != nil {
			l.assign(t, found, request.Demand)
			return
		}
		l.hopeless[shape] = why
	}
	deadline := t.CreatedAt.Add(l.patience)
	if !l.now.Before(deadline) || l.neverFits(request) {
		l.stop(t, noCapacity+" ("+why+")")
		return
	}
	l.out.Again = plan.Earliest(l.out.Again, deadline)
	l.out.Troubles = append(l.out.Troubles, plan.Trouble{Subject: t.ARN, Reason: why})
}

func (l *look) board(t *task.Task) *placement.Board {
	key := ""
	if t.Spec.LaunchType != workload.Fargate {
		key = t.Spec.ClusterARN
	}
	b, ok := l.boards[key]
	if !ok {
		if key == "" {
			b = placement.FargateBoard(l.view)
		} else {
			b = placement.ClusterBoard(l.view, key)
		}
		l.boards[key] = b
	}
	return b
}

// seriesOf is the series that the task goes on with: a service's tasks are decided
// one after the other.
func (l *look) seriesOf(t *task.Task, r *placement.Request) (*placement.Series, error) {
	key := fmt.Sprintf("%s %q %q", shapeOf(t, r), r.Group, r.Strategy)
	if s, ok := l.series[key]; ok {
		return s, nil
	}
	s, err := l.board(t).Series(r)
	if err == nil {
		l.series[key] = s
	}
	return s, err
}

func (l *look) place(t *task.Task, r *placement.Request) (found *placement.Placement, why string) {
	if t.Spec.NetworkConfiguration != nil {
		if _, _, err := placement.FreeAddress(l.view, t, ""); err != nil {
			return nil, fault.Of(err).Message
		}
	}
	if l.short && t.Spec.CapacityProvider == cluster.FargateSpotProvider {
		return nil, "Fargate tasks on demand wait for room, and come before those on Spot"
	}
	s, err := l.seriesOf(t, r)
	if err != nil {
		return nil, err.Error()
	}
	p, refusals := s.Place(r.Seed)
	switch {
	case p != nil:
		return p, ""
	case r.Fargate && t.Spec.CapacityProvider != cluster.FargateSpotProvider:
		l.short = true
	}
	return nil, explain(r, refusals)
}

// explain says why no instance takes the task.
func explain(r *placement.Request, refusals []placement.Refusal) string {
	switch {
	case len(refusals) == 0 && r.Fargate:
		return "no agent offers Fargate capacity"
	case len(refusals) == 0 && r.Provider != "":
		return "no instance of the cluster belongs to capacity provider " + r.Provider
	case len(refusals) == 0:
		return "the cluster has no container instance"
	}
	var says []string
	for _, f := range refusals[:min(maxRefusals, len(refusals))] {
		says = append(says, strings.TrimSpace(fmt.Sprintf("%s: %s %s", name(f.InstanceARN), f.Reason, f.Detail)))
	}
	if more := len(refusals) - maxRefusals; more > 0 {
		says = append(says, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(says, "; ")
}

// name is the last part of an ARN.
func name(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// neverFits tells that no machine there is could take the task, were it empty:
// waiting would not help. Without any machine there is hope.
func (l *look) neverFits(r *placement.Request) bool {
	if !r.Fargate {
		return false
	}
	hope, any := false, false
	for i := range store.Instances.By(l.view, store.InstancesByOffer, store.OfferFargate) {
		any = true
		demand := i.Share(r.Demand, r.Fargate)
		hope = hope || fits(i, &cluster.Usage{}, &demand)
	}
	return any && !hope
}

func fits(i *cluster.Instance, u *cluster.Usage, d *cluster.Demand) bool {
	return len(cluster.Lacks(&i.Registered, u, d)) == 0
}
