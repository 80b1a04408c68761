package task

import (
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
)

// Surroundings are what an order needs beside the task and its definition.
type Surroundings struct {
	Interface     *Interface   // see NewInterface; nil outside awsvpc
	TaskRole      *Credentials // nil when Spec.TaskRole is empty
	ExecutionRole *Credentials // nil when Spec.ExecutionRole is empty
	LogMode       string       // the account's default awslogs mode; empty when not set
}

// NewOrder makes what an agent gets of a placed task.
func NewOrder(t *Task, def *workload.Definition, s Surroundings) *Order {
	o := &Order{
		ARN: t.ARN, ID: t.ID, ClusterARN: t.Spec.ClusterARN, ClusterName: arn.NameOf(t.Spec.ClusterARN),
		Region: t.Scope.Region, Account: t.Scope.Account, Family: def.Family, Revision: def.Revision,
		Group: t.Spec.Group, LaunchType: t.Spec.LaunchType, Isolation: isolation(t.Spec.LaunchType), Desired: t.Ordered(),
		Volumes: def.Volumes, NetworkMode: def.Mode(), Interface: s.Interface, PIDMode: def.PIDMode, IPCMode: def.IPCMode,
		RuntimePlatform: def.RuntimePlatform, EphemeralStorageGiB: t.Spec.EphemeralStorageGiB,
		TaskRole: s.TaskRole, ExecutionRole: s.ExecutionRole, LogMode: s.LogMode,
		EnableFaultInjection: def.EnableFaultInjection != nil && *def.EnableFaultInjection,
		EnableExecuteCommand: t.Spec.EnableExecuteCommand,
	}
	if name, ok := strings.CutPrefix(t.Spec.Group, "service:"); ok {
		o.ServiceName = name
	}
	o.CPU, _ = workload.ParseCPU(t.Spec.CPU)
	o.Memory, _ = workload.ParseMemory(t.Spec.Memory)
	if t.Assignment != nil {
		o.GPUs = t.Assignment.Held.GPUs
	}
	o.Containers = orderContainers(t, def)
	return o
}

func isolation(launch workload.LaunchType) Isolation {
	if launch == workload.Fargate {
		return Sandbox
	}
	return Namespaces
}

// orderContainers gives each container its id and its GPUs.
func orderContainers(t *Task, def *workload.Definition) []OrderContainer {
	merged, gpus := t.Spec.Overrides.Merged(def), t.ContainerGPUs(def)
	out := make([]OrderContainer, len(merged))
	for i, c := range merged {
		c.Image = t.Spec.fixed(c.Name, c.Image)
		out[i] = OrderContainer{Container: c, ARN: t.ContainerARN(c.Name), ID: t.Spec.containerID(c.Name), GPUs: gpus[c.Name]}
	}
	return out
}

// fixed is the image by its digest, where the task's revision has one.
func (s *Spec) fixed(container, image string) string {
	for _, d := range s.Digests {
		if d.Container == container {
			return withDigest(image, d.Digest)
		}
	}
	return image
}

// withDigest puts a digest in the place of an image's tag. The first colon of a
// host's port is not a tag's: only what follows the last slash has one.
func withDigest(image, digest string) string {
	name, _, _ := strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name + "@" + digest
}

func (s *Spec) containerID(name string) string {
	for _, c := range s.Containers {
		if c.Name == name {
			return c.ID
		}
	}
	return ""
}

// ContainerARN is the ARN of a container of the task.
func (t *Task) ContainerARN(name string) string {
	return t.Scope.Container(arn.NameOf(t.Spec.ClusterARN), t.ID, t.Spec.containerID(name))
}

// NewInterface makes the agent's view of a leased interface.
func NewInterface(i *network.Interface, s *network.Subnet, v *network.VPC, groups []*network.SecurityGroup) *Interface {
	out := &Interface{
		ID: i.ID, MAC: i.MAC, PrivateIP: i.PrivateIP.String(), PrefixLength: s.CIDR.Bits(), Gateway: s.Gateway().String(),
		SubnetID: s.ID, SubnetCIDR: s.CIDR.String(), VPCID: v.ID, VPCCIDR: v.CIDR.String(), Zone: s.Zone,
		PrivateDNSName: i.PrivateDNSName,
	}
	if i.PublicIP.IsValid() {
		out.PublicIP = i.PublicIP.String()
	}
	for _, g := range groups {
		out.SecurityGroups = append(out.SecurityGroups, SecurityGroup{ID: g.ID, Ingress: rulesOf(g.Ingress), Egress: rulesOf(g.Egress)})
	}
	return out
}

// rulesOf leaves out IPv6 ranges: tasks have no IPv6 address.
func rulesOf(rules []network.Rule) []Rule {
	var out []Rule
	for _, r := range rules {
		rule := Rule{Protocol: r.Protocol, FromPort: r.FromPort, ToPort: r.ToPort, Group: r.Group}
		if r.CIDR != "" {
			rule.CIDRs = []string{r.CIDR}
		}
		if rule.Group != "" || rule.CIDRs != nil {
			out = append(out, rule)
		}
	}
	return out
}
