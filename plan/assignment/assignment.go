// Package assignment gives places to the tasks that wait for one: those on
// Fargate and of services, which no request places. It asks plan/placement and
// writes the task's Assignment.
package assignment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
			for t := range store.Tasks.By(v, store.TasksByPhase, store.Unplaced) {
				if len(l.out.Changes) == maxPlacements {
					l.out.Again = now
					break
				}
				l.task(t)
			}
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
	out      plan.Decision
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

// Request is what placement needs to know of a task.
func Request(t *task.Task, def *workload.Definition) *placement.Request {
	r := &placement.Request{Demand: task.Demand(def, &t.Spec), Fargate: t.Spec.LaunchType == workload.Fargate}
	r.Seed, _ = strconv.ParseUint(t.ID[:min(16, len(t.ID))], 16, 64) // an id that is not hex gives 0
	if r.Fargate {
		// AWS chooses among zones; so do we, by load.
		r.Strategy = []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "binpack", Field: "memory"}}
		r.Group = t.Spec.Group
		return r
	}
	r.Group, r.Requires, r.Strategy = t.Spec.Group, def.RequiresAttributes, t.Spec.Strategy
	r.Constraints = slices.Concat(def.PlacementConstraints, t.Spec.Constraints)
	if len(r.Strategy) == 0 {
		r.Strategy = []workload.Strategy{{Type: "spread", Field: "attribute:ecs.availability-zone"}, {Type: "spread", Field: "instanceId"}}
	}
	return r
}

func shapeOf(t *task.Task, r *placement.Request) string {
	if r.Fargate {
		return fmt.Sprint("fargate ", r.Demand, subnets(t))
	}
	return fmt.Sprint(t.Spec.ClusterARN, r.Demand, r.Group, r.Constraints, r.Requires, subnets(t))
}

// subnets of a task; nil outside awsvpc.
func subnets(t *task.Task) []string {
	if n := t.Spec.NetworkConfiguration; n != nil {
		return n.Subnets
	}
	return nil
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
	s, err := l.seriesOf(t, r)
	if err != nil {
		return nil, err.Error()
	}
	p, refusals := s.Place(r.Seed)
	switch {
	case p != nil:
		return p, ""
	case len(refusals) == 0 && r.Fargate:
		return nil, "no agent offers Fargate capacity"
	case len(refusals) == 0:
		return nil, "the cluster has no container instance"
	}
	var says []string
	for _, f := range refusals[:min(maxRefusals, len(refusals))] {
		says = append(says, strings.TrimSpace(fmt.Sprintf("%s: %s %s", name(f.InstanceARN), f.Reason, f.Detail)))
	}
	if more := len(refusals) - maxRefusals; more > 0 {
		says = append(says, fmt.Sprintf("and %d more", more))
	}
	return nil, strings.Join(says, "; ")
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
		demand := demandOn(i, r.Fargate, r.Demand)
		hope = hope || fits(i, &cluster.Usage{}, &demand)
	}
	return any && !hope
}

// demandOn is what a task takes of an instance: on Fargate its CPU is divided by
// the instance's overcommit, rounded up.
func demandOn(i *cluster.Instance, fargate bool, d cluster.Demand) cluster.Demand {
	if fargate {
		o := max(1, i.FargateCPUOvercommit)
		d.CPU = (d.CPU + o - 1) / o
	}
	return d
}

func fits(i *cluster.Instance, u *cluster.Usage, d *cluster.Demand) bool {
	return len(cluster.Lacks(&i.Registered, u, d)) == 0
}

// assign writes the decision, unless the task or the instance is no longer as it
// was: what is taken is counted anew on the instance of the transaction.
func (l *look) assign(t *task.Task, p *placement.Placement, demand cluster.Demand) {
	now, fargate := l.now, t.Spec.LaunchType == workload.Fargate
	l.out.Changes = append(l.out.Changes, plan.Change{
		Subject: t.ARN, Says: "place on " + p.Instance.ARN,
		Apply: func(tx *store.Tx) error {
			have, err := waiting(tx, t.ARN)
			if err != nil {
				return err
			}
			i, ok := store.Instances.Get(tx, p.Instance.ARN)
			if !ok {
				return plan.ErrStale
			}
			d := demandOn(i, fargate, demand)
			if placeable, _ := i.Placeable(); !placeable || !fits(i, &i.Used, &d) {
				return plan.ErrStale
			}
			usage, held := i.Used.Take(&i.Registered, &d)
			if _, err = placement.Assign(tx, have, &placement.Placement{Instance: i, Held: held, Usage: usage}, now); err != nil {
				return errors.Join(plan.ErrStale, err) // another task took the last address
			}
			return nil
		},
	})
}

func (l *look) stop(t *task.Task, reason string) {
	now := l.now
	l.out.Changes = append(l.out.Changes, plan.Change{
		Subject: t.ARN, Says: "stop: " + reason,
		Apply: func(tx *store.Tx) error {
			have, err := waiting(tx, t.ARN)
			if err != nil {
				return err
			}
			next := *have
			next.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopTaskFailedToStart, StoppedReason: reason, StoppingAt: now}
			next.Version++
			store.Tasks.Put(tx, &next)
			return nil
		},
	})
}

// waiting finds a task that still wants a place.
func waiting(tx *store.Tx, arn string) (*task.Task, error) {
	t, ok := store.Tasks.Get(tx, arn)
	if !ok || store.Phase(t) != store.Unplaced {
		return nil, plan.ErrStale
	}
	return t, nil
}
