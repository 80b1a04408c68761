package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// wanted: in a calm world, everything is as it was asked to be.
func (l *laws) wanted() error {
	w := l.w
	if !w.server.up {
		return errors.New("the server did not come back")
	}
	v := w.server.leader.View()
	for i := range store.Instances.All(v) {
		if !i.Connected && i.DeregisteredAt.IsZero() {
			return fmt.Errorf("%s did not come back", w.rename(i.ARN))
		}
	}
	for _, r := range w.user.runs {
		if !r.answered {
			return fmt.Errorf("%s was never answered", r.token)
		}
	}
	for t := range store.Tasks.All(v) {
		last := t.LastStatus()
		switch {
		case w.user.asked[t.ARN] && last != task.Stopped:
			return l.broken(t, "was stopped by the user and is %v", last)
		case last == task.Running || last == task.Stopped:
		case l.coming(v, t):
		case last == task.Provisioning && t.Spec.LaunchType == workload.Fargate && w.now.Sub(t.CreatedAt) < 15*time.Minute+w.server.skew && (l.full(v, t) || l.addressless(v)):
		default:
			return l.broken(t, "is still %v, wanted %v", last, t.DesiredStatus())
		}
	}
	return errors.Join(l.steady(v), l.agree(v))
}

// full tells that no host has room for the task now.
func (l *laws) full(v *store.View, t *task.Task) bool {
	def, _ := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN)
	demand := task.Demand(def, &t.Spec)
	for i := range store.Instances.By(v, store.InstancesByOffer, store.OfferFargate) {
		d := demand
		d.CPU = (d.CPU + i.FargateCPUOvercommit - 1) / i.FargateCPUOvercommit
		if ok, _ := i.Placeable(); ok && len(cluster.Lacks(&i.Registered, &i.Used, &d)) == 0 {
			return false
		}
	}
	return true
}

// addressless tells that no subnet has an address left.
func (l *laws) addressless(v *store.View) bool {
	size := 0
	for s := range store.Subnets.All(v) {
		size += s.Size()
	}
	return store.Interfaces.Len(v) == size
}

// coming tells of a task of a service whose tasks do not stay: one or another of
// them is always on its way.
func (l *laws) coming(v *store.View, t *task.Task) bool {
	def, _ := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN)
	return strings.HasPrefix(t.Spec.Group, service.GroupPrefix) && l.w.user.kind(def.Family).ends() && l.w.now.Sub(t.CreatedAt) < time.Minute
}

// agree: hosts run what the server says they run.
func (l *laws) agree(v *store.View) error {
	running := map[string]bool{}
	for _, a := range l.w.agents {
		for _, t := range a.aliveTasks() {
			running[t.order.ARN] = true
		}
	}
	for t := range store.Tasks.All(v) {
		if l.coming(v, t) {
			continue
		}
		if running[t.ARN] != (t.LastStatus() == task.Running) {
			return l.broken(t, "is %v, there are containers of it: %v", t.LastStatus(), running[t.ARN])
		}
	}
	return nil
}

// nothingLeft: when all is stopped, everything was given back.
func (l *laws) nothingLeft() error {
	v := l.w.server.leader.View()
	for t := range store.Tasks.All(v) {
		if t.LastStatus() != task.Stopped || t.StoppedReason() == "" {
			return l.broken(t, "is %v (%s) though all was stopped", t.LastStatus(), t.StoppedReason())
		}
	}
	for i := range store.Instances.All(v) {
		if i.Used.Tasks+i.Used.CPU+i.Used.Memory+len(i.Used.GPUs)+len(i.Used.PortsTCP) != 0 {
			return fmt.Errorf("%s still holds %+v", l.w.rename(i.ARN), i.Used)
		}
	}
	for i := range store.Interfaces.All(v) {
		return fmt.Errorf("%s still has the address %s (%s)", l.w.rename(i.TaskARN), i.PrivateIP, network.Key(i.Scope, i.ID))
	}
	if n := store.Services.Len(v) + store.Rollouts.Len(v) + store.ServiceRevisions.Len(v) + store.ServiceEvents.Len(v); n > 0 {
		return fmt.Errorf("%d records of deleted services are left", n)
	}
	return l.agree(v)
}
