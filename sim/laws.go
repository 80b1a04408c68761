package sim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// laws are what must hold after every event.
type laws struct {
	w      *world
	at     *store.View                   // the view that was checked last
	seen   map[string]past               // tasks by ARN, as they were last
	leases map[string]*network.Interface // the last of each address
	rolls  map[string]*service.Rollout   // rollouts by ARN, as they were last
	life   int                           // of the server that made at
}

// past is what may only grow, or never change.
type past struct {
	status   task.Status
	desired  task.Status
	instance string
}

func newLaws(w *world) *laws {
	return &laws{w: w, seen: map[string]past{}, leases: map[string]*network.Interface{}, rolls: map[string]*service.Rollout{}}
}

// name gives a new task its name in the trace.
func (w *world) name(arn string) {
	if _, known := w.names[arn]; !known {
		w.names[arn] = fmt.Sprintf("task%d", len(w.laws.seen)+1)
		w.names[arn[strings.LastIndex(arn, "/")+1:]] = w.names[arn]
		w.laws.seen[arn] = past{}
	}
}

func (l *laws) check() error {
	errs := []error{l.hosts()}
	if l.w.server.up && l.w.server.leader.View() != l.at {
		was := l.at
		l.at = l.w.server.leader.View()
		errs = append(errs, l.tasks(l.at), l.ledgers(l.at), l.addresses(l.at), l.runs(l.at), l.services(was, l.at))
		l.life = l.w.server.life
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
		case now.status == task.Stopped && was.status != task.Stopped && !l.explained(v, t):
			return l.broken(t, "stopped for no reason that there was: %s", t.StoppedReason())
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

// explained tells whether what is said to have stopped a task has happened.
func (l *laws) explained(v *store.View, t *task.Task) bool {
	u, reason := l.w.user, t.StoppedReason()
	def, _ := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN)
	k := u.kind(def.Family)
	_, asked := u.asked[t.ARN]
	switch {
	case reason == "Task stopped by user":
		return asked
	case reason == "Essential container in task exited":
		return k.lives > 0
	case reason == "Container instance deregistration forced by user":
		return l.w.agentOf(t.Assignment.InstanceARN).retired
	case strings.HasPrefix(reason, scaling):
		return t.StopCode() == task.StopServiceSchedulerInitiated && (u.touched[serviceOf(t)] || u.drained)
	case strings.HasPrefix(reason, "Capacity is unavailable at this time."):
		return k.fargate && t.Assignment == nil
	}
	return strings.HasSuffix(reason, "simulated")
}

// scaling begins the reason of tasks that their service stopped.
const scaling = "Scaling activity initiated by ("

// serviceOf is the ARN of a task's service.
func serviceOf(t *task.Task) string {
	return scope.Service("default", strings.TrimPrefix(t.Spec.Group, service.GroupPrefix))
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

// unconnected: a server that has just started has no sessions.
func (l *laws) unconnected(v *store.View) error {
	for i := range store.Instances.All(v) {
		if i.Connected {
			return fmt.Errorf("%s is connected to a server that has just started", l.w.rename(i.ARN))
		}
	}
	return nil
}
