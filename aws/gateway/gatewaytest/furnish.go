package gatewaytest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// What Furnish puts into the store.
const (
	EC2ID            = "i-0123456789abcdef0"
	EC2Interface     = "eni-0000000000000000a" // of a task on EC2 capacity, 172.31.0.4
	FargateInterface = "eni-0000000000000000b" // of a Fargate task, 172.31.0.5 and 203.0.113.9
	LostInterface    = "eni-0000000000000000c" // released, in quarantine, 172.31.0.6
)

// Put changes the store.
func (s *Server) Put(t testing.TB, change func(*store.Tx)) {
	t.Helper()
	_, err := s.Store.Update(context.Background(), func(tx *store.Tx) error {
		change(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Furnish makes the default VPC, a container instance, and two tasks with their
// interfaces on it.
func (s *Server) Furnish(t testing.TB) {
	t.Helper()
	d := network.NewDefault(Scope, network.DefaultCIDR, "")
	host := machine()
	onEC2 := &task.Task{Scope: Scope, ARN: Scope.Task("default", "one"), ID: "one", Spec: task.Spec{LaunchType: workload.EC2}}
	onFargate := &task.Task{Scope: Scope, ARN: Scope.Task("default", "two"), ID: "two", Spec: task.Spec{LaunchType: workload.Fargate}}
	lease := func(id, taskARN, ip string) *network.Interface {
		return &network.Interface{
			Scope: Scope, ID: id, VPCID: d.VPC.ID, SubnetID: d.Subnets[0].ID, Zone: d.Subnets[0].Zone, MAC: "0a:00:00:00:00:01",
			PrivateIP: netip.MustParseAddr(ip), PrivateDNSName: "ip-" + ip, SecurityGroups: []string{d.Group.ID},
			TaskARN: taskARN, InstanceARN: host.ARN, RequesterID: "578734482556", Description: Scope.Of("ecs", "attachment/"+id),
			CreatedAt: host.RegisteredAt,
		}
	}
	public, lost := lease(FargateInterface, onFargate.ARN, "172.31.0.5"), lease(LostInterface, "", "172.31.0.6")
	public.PublicIP = netip.MustParseAddr("203.0.113.9")
	lost.ReleasedAt = host.RegisteredAt.Add(time.Second)
	s.Put(t, func(tx *store.Tx) {
		store.VPCs.Put(tx, &d.VPC)
		for n := range d.Subnets {
			store.Subnets.Put(tx, &d.Subnets[n])
		}
		store.SecurityGroups.Put(tx, &d.Group)
		store.Instances.Put(tx, host)
		store.Tasks.Put(tx, onEC2)
		store.Tasks.Put(tx, onFargate)
		for _, i := range []*network.Interface{lease(EC2Interface, onEC2.ARN, "172.31.0.4"), public, lost} {
			store.Interfaces.Put(tx, i)
		}
	})
}

func machine() *cluster.Instance {
	return &cluster.Instance{
		Scope: Scope, ARN: Scope.ContainerInstance("default", "host"), EC2ID: EC2ID, OffersEC2: true, Zone: Scope.Region + "a",
		Role: Scope.Global("iam", "role/ecsInstanceRole"), RegisteredAt: time.Unix(1700000000, 0), Registered: cluster.Resources{CPU: 4096},
		Attributes: []workload.Attribute{{Name: "berth.private-ip", Value: "10.1.2.3"}, {Name: "ecs.instance-type", Value: "m5.xlarge"}},
		Tags:       []workload.Tag{{Key: "Name", Value: "box one"}},
	}
}
