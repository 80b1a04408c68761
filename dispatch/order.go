package dispatch

import (
	"context"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

// maxTasks bounds the tasks of one payload, so that a reconnecting agent with
// hundreds gets several frames.
const maxTasks = 50

// tell sends the tasks' orders, or that they shall stop, to the agent.
func (s *session) tell(ctx context.Context, tasks []*task.Task) error {
	for len(tasks) > 0 {
		n := min(maxTasks, len(tasks))
		if err := s.tellSome(ctx, tasks[:n]); err != nil {
			return err
		}
		tasks = tasks[n:]
	}
	return nil
}

func (s *session) tellSome(ctx context.Context, tasks []*task.Task) error {
	p := acs.Payload{
		MessageID: newID(), ClusterARN: s.cluster, ContainerInstanceARN: s.instance,
		SeqNum: s.d.next(s.instance), GeneratedAt: s.d.Now().UnixMilli(),
	}
	keys, err := s.d.keysFor(ctx, tasks)
	if err != nil {
		return err
	}
	v := s.d.Store.View()
	for _, t := range tasks {
		if now, ok := store.Tasks.Get(v, t.ARN); ok && now.Ordered() > t.Ordered() {
			continue // it was given up for want of its role: that change is told next
		}
		order, err := orderOf(v, t, keys[t.ARN])
		if err != nil {
			s.d.Log.Error("cannot make the order of a task", "task", t.ARN, "err", err)
			continue
		}
		p.Tasks = append(p.Tasks, s.dialect(order))
		s.told[t.ARN] = t.Ordered()
	}
	if len(p.Tasks) == 0 {
		return nil
	}
	return s.send(ctx, acs.TypePayload, p)
}

func (s *session) dialect(o *task.Order) acs.Task {
	if s.ours {
		return acs.Task{ARN: o.ARN, TaskClusterARN: o.ClusterARN, Family: o.Family, DesiredStatus: o.Desired.String(), Berth: o}
	}
	return official(o, s.d.Endpoint)
}

// orderOf gathers what an agent needs of a task from the store.
func orderOf(v *store.View, t *task.Task, keys roleKeys) (*task.Order, error) {
	def, ok := store.TaskDefinitions.Get(v, t.Spec.DefinitionARN)
	if !ok {
		return nil, errMissing("task definition " + t.Spec.DefinitionARN)
	}
	around := task.Surroundings{TaskRole: keys.task, ExecutionRole: keys.execution, LogMode: logMode(v, t)}
	if t.Assignment.InterfaceID != "" {
		iface, err := interfaceOf(v, t)
		if err != nil {
			return nil, err
		}
		around.Interface = iface
	}
	return task.NewOrder(t, def, around), nil
}

type errMissing string

func (e errMissing) Error() string { return string(e) + " is missing" }

func interfaceOf(v *store.View, t *task.Task) (*task.Interface, error) {
	i, ok := store.Interfaces.Get(v, network.Key(t.Scope, t.Assignment.InterfaceID))
	if !ok {
		return nil, errMissing("interface " + t.Assignment.InterfaceID)
	}
	s, ok := store.Subnets.Get(v, network.Key(t.Scope, i.SubnetID))
	if !ok {
		return nil, errMissing("subnet " + i.SubnetID)
	}
	vpc, ok := store.VPCs.Get(v, network.Key(t.Scope, i.VPCID))
	if !ok {
		return nil, errMissing("vpc " + i.VPCID)
	}
	var groups []*network.SecurityGroup
	for _, id := range i.SecurityGroups {
		if g, ok := store.SecurityGroups.Get(v, network.Key(t.Scope, id)); ok {
			groups = append(groups, g)
		}
	}
	return task.NewInterface(i, s, vpc, groups), nil
}
