package placement

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/lease"
)

// ClusterBoard is a board of the container instances of a cluster: what RunTask
// and StartTask on EC2 capacity may choose from.
func ClusterBoard(r store.Reader, clusterARN string) *Board {
	b := DaemonBoard(r, clusterARN)
	b.attend(r, clusterARN)
	return b
}

// DaemonBoard is ClusterBoard for managed daemons, for which no instance waits.
func DaemonBoard(r store.Reader, clusterARN string) *Board {
	// By the primary key, which begins with the cluster and gives the order of the
	// board: an index would look each instance up.
	prefix := strings.Replace(clusterARN, ":cluster/", ":container-instance/", 1) + "/"
	var instances []*cluster.Instance
	for i := range store.Instances.Prefix(r, prefix) {
		if i.OffersEC2 && i.Status != cluster.InstanceInactive {
			instances = append(instances, i)
		}
	}
	counts := func(group string) map[string]int { return GroupCounts(r, clusterARN, group) }
	return NewBoard(instances, counts, func(i *cluster.Instance) cluster.Subject { return Subject{r, i} })
}

// FargateBoard is a board of all Fargate capacity: it belongs to no cluster.
func FargateBoard(r store.Reader) *Board {
	instances := slices.Collect(store.Instances.By(r, store.InstancesByOffer, store.OfferFargate))
	return NewBoard(instances, nil, func(i *cluster.Instance) cluster.Subject { return Subject{r, i} })
}

// GroupCounts counts the placed, unfinished tasks of a group by instance.
func GroupCounts(r store.Reader, clusterARN, group string) map[string]int {
	counts := map[string]int{}
	for t := range store.Tasks.By(r, store.TasksByGroup, store.InCluster(clusterARN, group)) {
		if t.Assignment != nil && !t.Assignment.Released {
			counts[t.Assignment.InstanceARN]++
		}
	}
	return counts
}

// Subject is an instance as the cluster query language sees it.
type Subject struct {
	Reader   store.Reader
	Instance *cluster.Instance
}

// Values implements cluster.Subject.
func (s Subject) Values(name string) []string {
	i := s.Instance
	if attr, ok := strings.CutPrefix(name, "attribute:"); ok {
		if v, ok := i.Attribute(attr); ok {
			return []string{v}
		}
		return nil
	}
	switch name {
	case "agentConnected":
		return []string{strconv.FormatBool(i.Connected)}
	case "agentVersion":
		return []string{i.Agent.Version}
	case "ec2InstanceId":
		return []string{i.EC2ID}
	case "registeredAt":
		return []string{i.RegisteredAt.UTC().Format(time.RFC3339)}
	case "runningTasksCount":
		n := 0
		for t := range store.Tasks.By(s.Reader, store.TasksByInstance, i.ARN) {
			if t.LastStatus() == task.Running {
				n++
			}
		}
		return []string{strconv.Itoa(n)}
	case "task:group":
		var groups []string
		for t := range store.Tasks.By(s.Reader, store.TasksByInstance, i.ARN) {
			if t.LastStatus() == task.Stopped {
				break // the stopped come last
			}
			groups = append(groups, t.Spec.Group)
		}
		return groups
	}
	return nil
}

// Assign stores a decision inside the transaction that made it: the task's
// assignment, the instance's new usage and, in awsvpc mode, the lease of an
// address. It returns the task as stored. The task need not be stored before.
func Assign(tx *store.Tx, t *task.Task, p *Placement, now time.Time) (*task.Task, error) {
	next := *t
	next.Assignment = &task.Assignment{InstanceARN: p.Instance.ARN, At: now, Held: p.Held}
	if next.Spec.NetworkConfiguration != nil {
		iface, err := leased(tx, &next, p.Instance, now)
		if err != nil {
			return nil, err
		}
		next.Assignment.InterfaceID = iface.ID
		next.Attachments = append(slices.Clone(next.Attachments), attachment(iface))
		store.Interfaces.Put(tx, iface)
	}
	next.Version++
	inst := *p.Instance
	if have, ok := store.Instances.Get(tx, inst.ARN); ok {
		inst = *have
	}
	inst.Used = p.Usage
	inst.Version++
	store.Instances.Put(tx, &inst)
	store.Tasks.Put(tx, &next)
	return &next, nil
}

// Take is Assign on an instance that was chosen on an older state: what is taken is
// counted anew on the one of the transaction. plan.ErrStale when it is not what it
// was, or has no room any more.
func Take(tx *store.Tx, t *task.Task, chosen *cluster.Instance, demand cluster.Demand, now time.Time) (*task.Task, error) {
	i, ok := store.Instances.Get(tx, chosen.ARN)
	if !ok {
		return nil, plan.ErrStale
	}
	demand = i.Share(demand, t.Spec.LaunchType == workload.Fargate)
	placeable, _ := i.Placeable()
	if !placeable || i.CapacityProvider != chosen.CapacityProvider || len(cluster.Lacks(&i.Registered, &i.Used, &demand)) > 0 {
		return nil, plan.ErrStale
	}
	usage, held := i.Used.Take(&i.Registered, &demand)
	next, err := Assign(tx, t, &Placement{Instance: i, Held: held, Usage: usage}, now)
	if err != nil {
		return nil, errors.Join(plan.ErrStale, err) // another task took the last address
	}
	return next, nil
}

// Meets tells whether an instance is one that the request may go to, were there
// room: its attributes and the constraints.
func Meets(r store.Reader, i *cluster.Instance, want *Request) (bool, error) {
	for _, a := range want.Requires {
		v, ok := i.Attribute(a.Name)
		if !ok || a.Value != "" && v != a.Value {
			return false, nil
		}
	}
	for _, c := range want.Constraints {
		if c.Type != "memberOf" {
			continue
		}
		q, err := cluster.ParseQuery(c.Expression)
		if err != nil {
			return false, &ExpressionError{Expression: c.Expression, Err: err}
		}
		if !q.Match(Subject{r, i}) {
			return false, nil
		}
	}
	return true, nil
}

// Release gives what a task held back to its instance and marks it so; it is
// harmless when repeated. The address lease is plan/attach's to end.
func Release(tx *store.Tx, t *task.Task) *task.Task {
	if t.Assignment == nil || t.Assignment.Released {
		return t
	}
	next, a := *t, *t.Assignment
	a.Released = true
	next.Assignment = &a
	next.Version++
	if have, ok := store.Instances.Get(tx, a.InstanceARN); ok {
		inst := *have
		inst.Used = inst.Used.Release(&a.Held)
		inst.Version++
		store.Instances.Put(tx, &inst)
	}
	store.Tasks.Put(tx, &next)
	return &next
}

func leased(tx *store.Tx, t *task.Task, inst *cluster.Instance, now time.Time) (*network.Interface, error) {
	s, addr, err := FreeAddress(tx, t, inst.Zone)
	if err != nil {
		return nil, err
	}
	i := newInterface(t, s, addr, inst, now)
	if t.Spec.NetworkConfiguration.Public() {
		i.PublicIP, _ = lease.Public(tx, network.PublicPool(), i.ID) // where all are taken it leaves under the host's
	}
	return i, nil
}

// FreeAddress finds an address in one of the task's subnets: those in the zone
// first, and among equals in an order that the task's id decides, so that tasks
// spread over them.
func FreeAddress(r store.Reader, t *task.Task, zone string) (*network.Subnet, netip.Addr, error) {
	subnets, err := preferred(r, t, zone)
	if err != nil {
		return nil, netip.Addr{}, err
	}
	if addresses, asked, err := staticAddresses(t); err != nil {
		return nil, netip.Addr{}, err
	} else if asked {
		return static(r, t, subnets, addresses)
	}
	for _, s := range subnets {
		if addr, ok := lease.Free(r, s, t.ID); ok {
			return s, addr, nil
		}
	}
	return nil, netip.Addr{}, fault.New(fault.Client, "No subnet of %v has a free address.", t.Spec.NetworkConfiguration.Subnets).
		WithHint("stop tasks in these subnets, or name a further subnet in awsvpcConfiguration")
}

func preferred(r store.Reader, t *task.Task, zone string) ([]*network.Subnet, error) {
	var near, far []*network.Subnet
	for _, id := range t.Spec.NetworkConfiguration.Subnets {
		s, ok := store.Subnets.Get(r, network.Key(t.Scope, id))
		switch {
		case !ok:
			return nil, fault.New(fault.InvalidParameter, "The subnet ID '%s' does not exist", id)
		case s.Zone == zone:
			near = append(near, s)
		default:
			far = append(far, s)
		}
	}
	if len(near)+len(far) == 0 {
		return nil, fault.New(fault.InvalidParameter, "subnets can not be empty.")
	}
	return append(rotated(near, t.ID), rotated(far, t.ID)...), nil
}

func rotated(subnets []*network.Subnet, seed string) []*network.Subnet {
	if len(subnets) < 2 {
		return subnets
	}
	n := int(seed[len(seed)-1]) % len(subnets)
	return append(slices.Clone(subnets[n:]), subnets[:n]...)
}

func newInterface(t *task.Task, s *network.Subnet, addr netip.Addr, inst *cluster.Instance, now time.Time) *network.Interface {
	id := "eni-0" + t.ID[:16]
	return &network.Interface{
		Scope: t.Scope, ID: id, VPCID: s.VPCID, SubnetID: s.ID, Zone: s.Zone,
		MAC: network.MAC(id, addr), PrivateIP: addr, PrivateDNSName: network.PrivateDNSName(t.Scope.Region, addr),
		SecurityGroups: t.Spec.NetworkConfiguration.SecurityGroups, TaskARN: t.ARN, InstanceARN: inst.ARN,
		AttachmentID: attachmentID(t.ID), Description: t.Scope.Of("ecs", "attachment/"+attachmentID(t.ID)),
		RequesterID: "578734482556", CreatedAt: now,
	}
}

// attachmentID is a UUID that follows from the task's id.
func attachmentID(id string) string {
	if len(id) < 32 {
		id += strings.Repeat("0", 32-len(id))
	}
	return id[16:24] + "-" + id[24:28] + "-4" + id[29:32] + "-a" + id[1:4] + "-" + id[4:16]
}

func attachment(i *network.Interface) task.Attachment {
	return task.Attachment{ID: i.AttachmentID, Type: "ElasticNetworkInterface", Status: task.AttachmentAttaching, Details: []workload.KeyValue{
		{Name: "subnetId", Value: i.SubnetID},
		{Name: "networkInterfaceId", Value: i.ID},
		{Name: "macAddress", Value: i.MAC},
		{Name: "privateDnsName", Value: i.PrivateDNSName},
		{Name: "privateIPv4Address", Value: i.PrivateIP.String()},
	}}
}
