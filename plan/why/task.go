package why

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// about is a task that is being explained.
type about struct {
	*Inquiry
	task       *task.Task
	def        *workload.Definition
	containers []workload.Container // the definition's, with the overrides
	label      string               // how sentences call it
}

func (q *Inquiry) task(t *task.Task, def *workload.Definition) *Node {
	a := &about{q, t, def, t.Spec.Overrides.Merged(def), "Task " + t.ID}
	n := &Node{Subject: t.ARN, State: t.LastStatus().String()}
	switch t.LastStatus() {
	case task.Provisioning:
		a.unplaced(n)
	case task.Pending:
		a.pending(n)
	case task.Stopped, task.Deprovisioning:
		a.stopped(n)
	case task.Stopping, task.Deactivating:
		a.stopping(n)
	default:
		a.running(n)
	}
	return n
}

func (a *about) running(n *Node) {
	n.Since = a.task.Observed.StartedAt
	n.Says = fmt.Sprintf("%s has been running for %s on instance %s.", a.label, a.ago(n.Since), name(a.task.Assignment.InstanceARN))
	if h := a.task.Health(a.essential); h != task.UnknownHealth {
		n.Says = fmt.Sprintf("%s has been running for %s on instance %s and is %s.", a.label, a.ago(n.Since), name(a.task.Assignment.InstanceARN), h)
	}
	n.add(a.instance())
	n.add(a.targets()...)
	n.add(a.containerNodes()...)
}

func (a *about) essential(container string) bool {
	c := a.def.Container(container)
	return c != nil && c.Essential
}

// stopping is a task whose end was asked for.
func (a *about) stopping(n *Node) {
	d := &a.task.Desired
	n.Since = d.StoppingAt
	n.Says = fmt.Sprintf("%s has been stopping for %s: %s.", a.label, a.ago(n.Since), a.cause())
	n.Detail = a.stopDetail()
	n.add(a.instance())
	n.add(a.containerNodes()...)
}

func (a *about) stopped(n *Node) {
	n.Since = store.StoppedAt(a.task)
	n.Says = fmt.Sprintf("%s stopped %s ago: %s.", a.label, a.ago(n.Since), a.cause())
	n.Detail = a.stopDetail()
	n.Hint = Hint(a.task.StoppedReason())
	n.add(a.containerNodes()...)
}

func (a *about) stopDetail() map[string]any {
	d := map[string]any{"stoppedReason": a.task.StoppedReason()}
	if code := a.task.StopCode(); code != "" {
		d["stopCode"] = code
	}
	return d
}

// cause says who or what ended the task, and AWS's words for it.
func (a *about) cause() string {
	reason := strings.TrimSuffix(a.task.StoppedReason(), ".")
	if r := explain(reason); r != nil {
		if r.complete {
			return r.means
		}
		return r.means + " (" + reason + ")"
	}
	who := map[string]string{
		task.StopUserInitiated:             "somebody asked for it with StopTask",
		task.StopServiceSchedulerInitiated: "its service ended it",
		task.StopSpotInterruption:          "its capacity was taken back",
		task.StopTerminationNotice:         "its instance is gone",
		task.StopTaskFailedToStart:         "it could not be started",
		task.StopEssentialContainerExited:  "one of its essential containers ended",
	}[a.task.StopCode()]
	switch {
	case who == "" && reason == "":
		return "nobody said why"
	case who == "":
		return reason
	case reason == "":
		return who
	}
	return who + " (" + reason + ")"
}

// instance is a child for an instance that cannot be heard; nil while it can.
func (a *about) instance() *Node {
	if a.task.Assignment == nil {
		return nil
	}
	key := a.task.Assignment.InstanceARN
	i, ok := store.Instances.Get(a.View, key)
	switch {
	case !ok || !i.DeregisteredAt.IsZero():
		return &Node{
			Subject: key, State: "INACTIVE",
			Says: fmt.Sprintf("Instance %s is not registered any more, so nobody can say how the task is.", name(key)),
		}
	case i.Connected:
		return nil
	}
	n := &Node{
		Subject: key, State: "DISCONNECTED", Since: i.DisconnectedAt,
		Says: fmt.Sprintf("The agent of instance %s is not connected: what is shown may be old, and orders wait until it is back.", name(key)),
		Hint: "start the agent of that machine again; its log tells why it cannot connect",
	}
	if i.Refused != "" {
		n.add(&Node{
			Subject: key, State: "REFUSED", Says: "Its agent may have no session: " + i.Refused,
			Hint: "give the role of the instance what it lacks: the managed policy AmazonEC2ContainerServiceforEC2Role has it",
		})
	}
	if !n.Since.IsZero() {
		n.Says = fmt.Sprintf("The agent of instance %s has been away for %s: what is shown may be old, and orders wait until it is back.", name(key), a.ago(n.Since))
	}
	return n
}
