package task

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
)

func twoContainers() *workload.Definition {
	return &workload.Definition{Family: "train", Revision: 3, Containers: []workload.Container{
		{
			Name: "a", CPU: 256, Memory: new(512), MemoryReservation: new(128), Command: []string{"train"},
			Environment:          []workload.KeyValue{{Name: "EPOCHS", Value: "1"}, {Name: "KEEP", Value: "yes"}},
			PortMappings:         []workload.PortMapping{{ContainerPort: 80, HostPort: new(8080)}, {ContainerPort: 81, HostPort: new(0)}, {ContainerPort: 53, HostPort: new(5353), Protocol: "udp"}},
			ResourceRequirements: []workload.ResourceRequirement{{Type: "GPU", Value: "1"}},
		},
		{Name: "b", CPU: 128, Memory: new(64), ResourceRequirements: []workload.ResourceRequirement{{Type: "GPU", Value: "2"}}},
	}}
}

func TestDemand(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*workload.Definition, *Spec)
		want   cluster.Demand
	}{
		{"containers", func(*workload.Definition, *Spec) {}, cluster.Demand{CPU: 384, Memory: 192, GPUs: 3, PortsTCP: []int{8080}, PortsUDP: []int{5353}}},
		{"task size", func(d *workload.Definition, s *Spec) { s.CPU, s.Memory = "1024", "2048" },
			cluster.Demand{CPU: 1024, Memory: 2048, GPUs: 3, PortsTCP: []int{8080}, PortsUDP: []int{5353}}},
		{"awsvpc takes no host port", func(d *workload.Definition, s *Spec) { d.NetworkMode = workload.AWSVPC },
			cluster.Demand{CPU: 384, Memory: 192, GPUs: 3}},
		{"overrides", func(d *workload.Definition, s *Spec) {
			s.Overrides.Containers = []ContainerOverride{{
				Name: "a", CPU: new(1), MemoryReservation: new(100), ResourceRequirements: []workload.ResourceRequirement{{Type: "GPU", Value: "4"}},
			}, {Name: "b", Memory: new(32)}}
		}, cluster.Demand{CPU: 129, Memory: 132, GPUs: 6, PortsTCP: []int{8080}, PortsUDP: []int{5353}}},
	} {
		def, spec := twoContainers(), &Spec{}
		c.change(def, spec)
		if got := Demand(def, spec); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestOverridesLeaveTheDefinitionAlone(t *testing.T) {
	def := twoContainers()
	o := Overrides{Containers: []ContainerOverride{{
		Name: "a", Command: []string{}, Environment: []workload.KeyValue{{Name: "EPOCHS", Value: "9"}, {Name: "NEW", Value: "x"}},
	}}}
	got := o.Merged(def)[0]
	if len(got.Command) != 0 || got.Command == nil {
		t.Errorf("command %v: an empty override must win", got.Command)
	}
	want := []workload.KeyValue{{Name: "EPOCHS", Value: "9"}, {Name: "KEEP", Value: "yes"}, {Name: "NEW", Value: "x"}}
	if !slices.Equal(got.Environment, want) {
		t.Errorf("environment %v", got.Environment)
	}
	if !reflect.DeepEqual(def, twoContainers()) {
		t.Error("the definition changed")
	}
}

func TestNewOrder(t *testing.T) {
	scope := arn.Scope{Account: "123456789012", Region: "eu-west-1"}
	def := twoContainers()
	task := &Task{
		Scope: scope, ARN: scope.Task("prod", "0123"), ID: "0123", Desired: Desired{Status: Running},
		Spec: Spec{
			ClusterARN: scope.Cluster("prod"), LaunchType: workload.Fargate, Group: "service:web", CPU: "512", Memory: "1024",
			Containers: []ContainerID{{"a", "id-a"}, {"b", "id-b"}},
		},
		Assignment: &Assignment{Held: cluster.Held{GPUs: []string{"g0", "g1", "g2"}}},
	}
	o := NewOrder(task, def, Surroundings{LogMode: "blocking"})
	if o.Isolation != Sandbox || o.CPU != 512 || o.Memory != 1024 || o.NetworkMode != workload.Bridge || o.ClusterName != "prod" || o.ServiceName != "web" {
		t.Errorf("order %+v", o)
	}
	a, b := o.Container("a"), o.Container("b")
	if !slices.Equal(a.GPUs, []string{"g0"}) || !slices.Equal(b.GPUs, []string{"g1", "g2"}) {
		t.Errorf("GPUs %v and %v", a.GPUs, b.GPUs)
	}
	if a.ARN != "arn:aws:ecs:eu-west-1:123456789012:container/prod/0123/id-a" || a.ID != "id-a" {
		t.Errorf("container %s %s", a.ARN, a.ID)
	}
	task.Spec.LaunchType, task.Desired.Status = workload.EC2, Stopped
	if o := NewOrder(task, def, Surroundings{}); o.Isolation != Namespaces || o.Desired != Stopped {
		t.Errorf("order %+v", o)
	}
}

func TestNewInterfaceNamesPeers(t *testing.T) {
	subnet := &network.Subnet{ID: "subnet-1", CIDR: netip.MustParsePrefix("172.31.16.0/20"), Zone: "us-east-1b"}
	vpc := &network.VPC{ID: "vpc-1", CIDR: netip.MustParsePrefix("172.31.0.0/16")}
	group := &network.SecurityGroup{ID: "sg-1",
		Ingress: []network.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-2"}},
		Egress:  []network.Rule{{Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}, {Protocol: "-1", CIDR6: "::/0"}},
	}
	got := NewInterface(&network.Interface{ID: "eni-1", PrivateIP: netip.MustParseAddr("172.31.16.4")}, subnet, vpc, []*network.SecurityGroup{group})
	if got.Gateway != "172.31.16.1" || got.PrefixLength != 20 || got.PublicIP != "" || got.VPCCIDR != "172.31.0.0/16" {
		t.Errorf("interface %+v", got)
	}
	want := []SecurityGroup{{ID: "sg-1",
		Ingress: []Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-2"}},
		Egress:  []Rule{{Protocol: "-1", FromPort: -1, ToPort: -1, CIDRs: []string{"0.0.0.0/0"}}},
	}}
	if !reflect.DeepEqual(got.SecurityGroups, want) {
		t.Errorf("groups %+v", got.SecurityGroups)
	}
}
