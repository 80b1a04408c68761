package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// laws are what must hold after every event.
type laws struct {
	w    *world
	seen map[string]past // tasks by ARN, as they were last
	at   *store.View     // the view that was checked last
}

// past is what may only grow, or never change.
type past struct {
	status   task.Status
	desired  task.Status
	instance string
}

func newLaws(w *world) *laws { return &laws{w: w, seen: map[string]past{}} }

// name gives a new task its name in the trace.
func (w *world) name(arn string) {
	if _, known := w.names[arn]; !known {
		w.names[arn] = fmt.Sprintf("task%d", len(w.laws.seen)+1)
		w.laws.seen[arn] = past{}
	}
}

func (l *laws) check() error {
	errs := []error{l.hosts()}
	if l.w.server.up && l.w.server.leader.View() != l.at {
		l.at = l.w.server.leader.View()
		errs = append(errs, l.tasks(l.at), l.ledgers(l.at), l.addresses(l.at), l.runs(l.at))
	}
	return errors.Join(errs...)
}

// tasks: what is there stays, and only moves forward.
func (l *laws) tasks(v *store.View) error {
	n := 0
	for t := range store.Tasks.All(v) {
		l.w.name(t.ARN)
		n++
		now := past{status: t.LastStatus(), desired: t.DesiredStatus()}
		if t.Assignment != nil {
			now.instance = t.Assignment.InstanceARN
		}
		was := l.seen[t.ARN]
		switch {
		case now.status < was.status:
			return l.broken(t, "moved back from %v to %v", was.status, now.status)
		case was.desired == task.Stopped && now.desired != task.Stopped:
			return l.broken(t, "is wanted again")
		case was.instance != "" && was.instance != now.instance:
			return l.broken(t, "was moved from %s to %s", was.instance, now.instance)
		}
		if now != was {
			l.seen[t.ARN] = now
			l.w.say("server: %s is %v %s", t.ARN, now.status, t.StoppedReason())
		}
	}
	if n != len(l.seen) {
		return fmt.Errorf("%d tasks were seen, %d are there", len(l.seen), n)
	}
	return nil
}

func (l *laws) broken(t *task.Task, format string, args ...any) error {
	return errors.New(l.w.rename("task " + t.ARN + " " + fmt.Sprintf(format, args...)))
}

// ledgers: what an instance's tasks hold is what its ledger says, and not more
// than there is.
func (l *laws) ledgers(v *store.View) error {
	sums := map[string]*cluster.Usage{}
	for t := range store.Tasks.All(v) {
		if t.Assignment == nil || t.Assignment.Released {
			continue
		}
		u := sums[t.Assignment.InstanceARN]
		if u == nil {
			u = &cluster.Usage{}
			sums[t.Assignment.InstanceARN] = u
		}
		h := &t.Assignment.Held
		u.CPU, u.Memory, u.Tasks = u.CPU+h.CPU, u.Memory+h.Memory, u.Tasks+1
		u.PortsTCP, u.GPUs = append(u.PortsTCP, h.PortsTCP...), append(u.GPUs, h.GPUs...)
	}
	for i := range store.Instances.All(v) {
		sum := sums[i.ARN]
		if sum == nil {
			sum = &cluster.Usage{}
		}
		name := l.w.rename(i.ARN)
		if sum.CPU != i.Used.CPU || sum.Memory != i.Used.Memory || sum.Tasks != i.Used.Tasks ||
			len(sum.PortsTCP) != len(i.Used.PortsTCP) || len(sum.GPUs) != len(i.Used.GPUs) {
			return fmt.Errorf("the ledger of %s says %+v, its tasks hold %+v", name, i.Used, *sum)
		}
		if sum.CPU > i.Registered.CPU || sum.Memory > i.Registered.Memory || repeats(sum.PortsTCP) || repeats(sum.GPUs) {
			return fmt.Errorf("%s is over-committed: %+v of %+v", name, *sum, i.Registered)
		}
	}
	return nil
}

func repeats[T comparable](list []T) bool {
	for i := range list {
		if slices.Contains(list[:i], list[i]) {
			return true
		}
	}
	return false
}

// addresses: no two leases of one address.
func (l *laws) addresses(v *store.View) error {
	leased := map[string]string{}
	for i := range store.Interfaces.All(v) {
		key := store.AddressKey(i.Scope, i.VPCID, i.PrivateIP)
		if other, taken := leased[key]; taken {
			return fmt.Errorf("%s is leased to %s and %s", i.PrivateIP, l.w.rename(other), l.w.rename(i.TaskARN))
		}
		leased[key] = i.TaskARN
	}
	return nil
}

// runs: what the user was told is there, and a repeated request made no more.
func (l *laws) runs(v *store.View) error {
	for _, r := range l.w.user.runs {
		for _, arn := range r.tasks {
			if _, ok := store.Tasks.Get(v, arn); !ok {
				return fmt.Errorf("%s was acknowledged and is lost", l.w.rename(arn))
			}
		}
		made := 0
		for range store.Tasks.By(v, store.TasksByStartedBy, store.InCluster(scope.Cluster("default"), r.token)) {
			made++
		}
		if made > r.count || r.answered && made != len(r.tasks) {
			return fmt.Errorf("%s asked for %d, was told of %d, made %d", r.token, r.count, len(r.tasks), made)
		}
	}
	return nil
}

// hosts: no task is on two hosts, no host has more than it can hold, and no
// address is used twice.
func (l *laws) hosts() error {
	where, addresses := map[string]string{}, map[string]string{}
	for _, a := range l.w.agents {
		if a.retired {
			continue
		}
		memory := 0
		for _, p := range a.tasks {
			if !p.alive() {
				continue
			}
			o := p.local.Order
			if other, twice := where[o.ARN]; twice {
				return fmt.Errorf("%s runs on %s and on %s", l.w.rename(o.ARN), other, a.name)
			}
			where[o.ARN] = a.name
			memory += l.w.user.kind(o.Family).memory
			if o.Interface == nil {
				continue
			}
			if other, twice := addresses[o.Interface.PrivateIP]; twice {
				return fmt.Errorf("%s and %s use %s", l.w.rename(other), l.w.rename(o.ARN), o.Interface.PrivateIP)
			}
			addresses[o.Interface.PrivateIP] = o.ARN
			if !l.leased(o.ARN) {
				return fmt.Errorf("%s uses %s, which was given back", l.w.rename(o.ARN), o.Interface.PrivateIP)
			}
		}
		if memory > a.machine.memory {
			return fmt.Errorf("the tasks on %s use %d MiB of %d", a.name, memory, a.machine.memory)
		}
	}
	return nil
}

// leased tells whether a task's interface is still its own.
func (l *laws) leased(arn string) bool {
	if !l.w.server.up {
		return true
	}
	for i := range store.Interfaces.By(l.w.server.leader.View(), store.InterfacesByTask, arn) {
		return i.ReleasedAt.IsZero()
	}
	return false
}

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
		case last == task.Provisioning && t.Spec.LaunchType == workload.Fargate && w.now.Sub(t.CreatedAt) < 15*time.Minute+w.server.skew && l.full(v, t):
		default:
			return l.broken(t, "is still %v, wanted %v", last, t.DesiredStatus())
		}
	}
	return l.agree(v)
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

// agree: hosts run what the server says they run.
func (l *laws) agree(v *store.View) error {
	running := map[string]bool{}
	for _, a := range l.w.agents {
		for _, p := range a.tasks {
			if p.alive() && !a.retired {
				running[p.arn()] = true
			}
		}
	}
	for t := range store.Tasks.All(v) {
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
	return l.agree(v)
}
