package why

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/assignment"
	"github.com/berthhq/berth/plan/placement"
)

// maxRefusals is how many instances a tree names; its numbers count all.
const maxRefusals = 20

// unplaced is a task that has no instance yet.
func (a *about) unplaced(n *Node) {
	n.Since = a.task.CreatedAt
	waits := fmt.Sprintf("%s has been waiting for a place for %s: ", a.label, a.ago(n.Since))
	if len(a.def.Containers) == 0 {
		n.Says = waits + "its task definition " + a.task.Spec.DefinitionARN + " no longer exists."
		n.Hint = "register the definition again and run the task anew"
		return
	}
	if a.task.Spec.NetworkConfiguration != nil {
		if _, _, err := placement.FreeAddress(a.View, a.task, ""); err != nil {
			f := fault.Of(err)
			n.Says, n.Hint = sentence(waits, f.Message), f.Hint
			return
		}
	}
	r := assignment.Request(a.task, a.def)
	p, said, err := a.board().Place(r)
	switch {
	case err != nil:
		n.Says = sentence(waits, err.Error())
		n.Hint = "correct the placement constraints or the strategy, and run the task anew"
	case p != nil:
		n.Says = waits + "instance " + p.Instance.ID + " has room and gets it within moments."
	case len(said) == 0 && r.Fargate:
		n.Says = waits + "no machine offers Fargate capacity."
		n.Hint = "run berth up, or start an agent with --fargate on a machine that joins"
	case len(said) == 0 && r.Provider != "":
		n.Says = waits + "no instance of the cluster belongs to capacity provider " + r.Provider + "."
		n.Hint = "start berth up or berth agent with --capacity-provider " + r.Provider + " on a machine of the cluster"
	case len(said) == 0:
		n.Says = waits + "cluster " + name(a.task.Spec.ClusterARN) + " has no container instance."
		n.Hint = "join a machine with berth token create and berth agent, or run the task on Fargate"
	default:
		a.refused(n, waits, said)
	}
}

func (a *about) board() *placement.Board {
	if a.task.Spec.LaunchType == workload.Fargate {
		return placement.FargateBoard(a.View)
	}
	return placement.ClusterBoard(a.View, a.task.Spec.ClusterARN)
}

func (a *about) refused(n *Node, waits string, said []placement.Refusal) {
	n.Says = waits + fmt.Sprintf("none of the %d instances takes it.", len(said))
	if len(said) == 1 {
		n.Says = waits + "the only instance does not take it."
	}
	counts := map[string]int{}
	for i, f := range said {
		counts[f.Reason]++
		if i < maxRefusals {
			n.add(Refusal(f))
		}
	}
	n.Detail = map[string]any{"instances": len(said), "refusals": counts}
}

// Refusal explains why one instance does not take a task.
func Refusal(f placement.Refusal) *Node {
	n := &Node{Subject: f.InstanceARN, State: f.Reason}
	detail := f.Detail
	for _, known := range refusals {
		if strings.HasPrefix(f.Reason, known.prefix) {
			detail, n.Hint = known.before+detail, known.hint
		}
	}
	n.Says = sentence("Instance "+name(f.InstanceARN)+" does not take it: ", detail)
	for _, l := range f.Lacks {
		if n.Detail == nil {
			n.Detail = map[string]any{}
		}
		if l.Ports != nil {
			n.Detail[l.Resource] = map[string]any{"taken": l.Ports}
			continue
		}
		n.Detail[l.Resource] = map[string]any{"needs": l.Need, "has": l.Have}
	}
	return n
}

// refusals are what is known of placement's reasons: what to say before their
// detail, and what to do.
var refusals = []struct{ prefix, before, hint string }{
	{"RESOURCE:MEMORY", "", "stop other tasks, ask for less memory in the task definition, or add an instance"},
	{"RESOURCE:CPU", "", "stop other tasks, ask for less cpu in the task definition, or add an instance"},
	{"RESOURCE:GPU", "", "wait for a task that has a GPU to end, or add an instance with more"},
	{"RESOURCE:PORTS", "", "choose another hostPort, or 0 for any free one, or awsvpc mode"},
	{"AGENT", "", "start the agent of that machine again"},
	{"INACTIVE", "", "set the instance ACTIVE with UpdateContainerInstancesState"},
	{"ATTRIBUTE", "", "put the attribute on the instance, or use an instance whose agent has that capability"},
	{"MemberOf", "it does not meet the constraint ", "change the constraint, or put the attributes it asks for on an instance"},
	{"distinctInstance", "", "add an instance: each may run one task of this group"},
}

// pending is a task that has an instance and does not run yet.
func (a *about) pending(n *Node) {
	o, place := &a.task.Observed, "instance "+name(a.task.Assignment.InstanceARN)
	n.Since = a.task.Assignment.At
	away := a.instance()
	n.add(away)
	switch {
	case away != nil:
		n.Says = fmt.Sprintf("%s was placed on %s %s ago, whose agent is not connected.", a.label, place, a.ago(n.Since))
	case o.ConnectivityAt.IsZero():
		n.Says = fmt.Sprintf("%s was placed on %s %s ago and waits for the agent there to take it.", a.label, place, a.ago(n.Since))
	case a.pulling():
		n.Since = o.PullStartedAt
		n.Says = fmt.Sprintf("%s has been pulling images on %s for %s.", a.label, place, a.ago(n.Since))
	case o.PullStartedAt.IsZero():
		n.Says = fmt.Sprintf("%s is being prepared on %s: its network, its volumes and its images.", a.label, place)
	default:
		n.Says = fmt.Sprintf("%s is starting its containers on %s.", a.label, place)
	}
	if !o.ConnectivityAt.IsZero() {
		n.add(a.containerNodes()...)
	}
}

// pulling tells whether an image is still on its way.
func (a *about) pulling() bool {
	if a.task.Observed.PullStartedAt.IsZero() {
		return false
	}
	for i := range a.containers {
		if o := a.observed(a.containers[i].Name); waitsForImage(o) {
			return true
		}
	}
	return false
}
