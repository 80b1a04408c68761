package ecs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
)

// What managed scaling is when it does not say.
const (
	defaultTargetCapacity = 100 // percent
	defaultMinimumStep    = 1
	defaultMaximumStep    = 10000
	defaultWarmup         = 300 // seconds
)

func readProvider(call *gateway.Call, in *ecs.CreateCapacityProviderRequest) (*cluster.CapacityProvider, error) {
	name := member.Value(in.Name)
	if err := checkProviderName(name); err != nil {
		return nil, err
	}
	p := &cluster.CapacityProvider{
		Scope: call.Scope, ARN: call.Scope.CapacityProvider(name), Name: name, Status: cluster.Active, UpdateStatus: cluster.ProviderCreated, CreatedAt: call.Now,
	}
	var err error
	if p.Tags, err = readTags(nilIfEmpty(in.Tags)); err != nil {
		return nil, err
	}
	group, managed := in.AutoScalingGroupProvider, in.ManagedInstancesProvider
	switch {
	case group == nil == (managed == nil):
		return nil, client("Exactly one of autoScalingGroupProvider and managedInstancesProvider must be specified.")
	case group != nil && in.Cluster != nil:
		return nil, client("A cluster cannot be specified for a capacity provider that uses an Auto Scaling group.").
			WithHint("associate it with clusters by put-cluster-capacity-providers")
	case group != nil:
		p.Kind = cluster.AutoScalingProvider
		p.AutoScaling, err = readGroup(group)
	case member.Value(in.Cluster) == "":
		return nil, client("The cluster of a managed instances capacity provider must be specified.")
	default:
		p.Kind = cluster.ManagedInstancesProvider
		p.ManagedInstances, err = readManagedInstances(managed)
	}
	return p, err
}

func checkProviderName(name string) error {
	reserved := func(prefix string) bool { return strings.HasPrefix(strings.ToLower(name), prefix) }
	switch {
	case name == "" || len(name) > 255 || !isName(name):
		return invalid("The specified capacity provider name is not valid. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.")
	case slices.ContainsFunc([]string{"aws", "ecs", "fargate"}, reserved):
		return invalid("The specified capacity provider name is not valid. The name cannot be prefixed with 'aws', 'ecs', or 'fargate'.")
	}
	return nil
}

func readGroup(in *ecs.AutoScalingGroupProvider) (*cluster.AutoScaling, error) {
	group := member.Value(in.AutoScalingGroupArn)
	if !isGroup(group) {
		return nil, client("The specified Auto Scaling group ARN is not valid. Specify a valid Auto Scaling group ARN and try again.")
	}
	out := &cluster.AutoScaling{
		Group: group, ManagedScaling: cluster.ManagedScaling{Status: cluster.Disabled},
		ManagedTerminationProtection: cluster.Disabled, ManagedDraining: cluster.Enabled,
	}
	return out, changeGroup(out, &ecs.AutoScalingGroupProviderUpdate{
		ManagedScaling: in.ManagedScaling, ManagedTerminationProtection: in.ManagedTerminationProtection, ManagedDraining: in.ManagedDraining,
	})
}

// isGroup tells whether s may be the ARN or the name of an Auto Scaling group.
func isGroup(s string) bool {
	a, err := arn.Parse(s)
	if err != nil {
		return s != "" && len(s) <= 255 && !strings.Contains(s, ":")
	}
	return a.Service == "autoscaling" && strings.HasPrefix(a.Resource, "autoScalingGroup:") && strings.Contains(a.Resource, ":autoScalingGroupName/")
}

// changeGroup sets what is said.
func changeGroup(g *cluster.AutoScaling, in *ecs.AutoScalingGroupProviderUpdate) error {
	for _, word := range []struct {
		name string
		to   *string
		said string
	}{
		{"managedTerminationProtection", &g.ManagedTerminationProtection, string(in.ManagedTerminationProtection)},
		{"managedDraining", &g.ManagedDraining, string(in.ManagedDraining)},
	} {
		if err := setSwitch(word.to, word.name, word.said); err != nil {
			return err
		}
	}
	if in.ManagedScaling != nil {
		if err := changeScaling(&g.ManagedScaling, in.ManagedScaling); err != nil {
			return err
		}
	}
	if g.ManagedTerminationProtection == cluster.Enabled && g.ManagedScaling.Status != cluster.Enabled {
		return client("The managed termination protection setting for the capacity provider is invalid. To enable managed termination protection for a capacity provider, managed scaling must be enabled.")
	}
	return nil
}

// setSwitch sets an ENABLED or DISABLED, unless nothing is said.
func setSwitch(to *string, name, said string) error {
	if said != "" && said != cluster.Enabled && said != cluster.Disabled {
		return invalid("%s should be one of [ENABLED,DISABLED]", name)
	}
	*to = cmp.Or(said, *to)
	return nil
}

func changeScaling(s *cluster.ManagedScaling, in *ecs.ManagedScaling) error {
	if s.TargetCapacity == 0 { // never said before
		*s = cluster.ManagedScaling{
			Status: cluster.Enabled, TargetCapacity: defaultTargetCapacity, MinimumStep: defaultMinimumStep, MaximumStep: defaultMaximumStep,
			InstanceWarmupPeriod: defaultWarmup,
		}
	}
	if err := setSwitch(&s.Status, "managedScaling status", string(in.Status)); err != nil {
		return err
	}
	for _, n := range []struct {
		name     string
		to       *int
		said     *int32
		min, max int
	}{
		{"targetCapacity", &s.TargetCapacity, in.TargetCapacity, 1, 100},
		{"minimumScalingStepSize", &s.MinimumStep, in.MinimumScalingStepSize, 1, 10000},
		{"maximumScalingStepSize", &s.MaximumStep, in.MaximumScalingStepSize, 1, 10000},
		{"instanceWarmupPeriod", &s.InstanceWarmupPeriod, in.InstanceWarmupPeriod, 0, 10000},
	} {
		if n.said == nil {
			continue
		}
		if int(*n.said) < n.min || int(*n.said) > n.max {
			return invalid("%s should be between %d and %d", n.name, n.min, n.max)
		}
		*n.to = int(*n.said)
	}
	if s.MinimumStep > s.MaximumStep {
		return invalid("minimumScalingStepSize cannot be greater than maximumScalingStepSize.")
	}
	return nil
}

func readManagedInstances(in *ecs.CreateManagedInstancesProviderConfiguration) ([]byte, error) {
	return json.Marshal(ecs.ManagedInstancesProvider{
		InfrastructureRoleArn: in.InfrastructureRoleArn, InstanceLaunchTemplate: in.InstanceLaunchTemplate,
		PropagateTags: cmp.Or(in.PropagateTags, ecs.PropagateMITagsNone), InfrastructureOptimization: in.InfrastructureOptimization,
		AutoRepairConfiguration: in.AutoRepairConfiguration,
	})
}

// changeProvider sets what an update says.
func changeProvider(p *cluster.CapacityProvider, in *ecs.UpdateCapacityProviderRequest) error {
	group, managed := in.AutoScalingGroupProvider, in.ManagedInstancesProvider
	switch {
	case p.AutoScaling != nil && group != nil && managed == nil:
		next := *p.AutoScaling
		p.AutoScaling = &next
		return changeGroup(&next, group)
	case p.AutoScaling == nil && managed != nil && group == nil:
		return changeManagedInstances(p, managed)
	}
	return client("The update must be of the kind of the capacity provider, which is %s.", p.Kind)
}

func changeManagedInstances(p *cluster.CapacityProvider, in *ecs.UpdateManagedInstancesProviderConfiguration) error {
	have := managedInstances(p)
	have.InfrastructureRoleArn = in.InfrastructureRoleArn
	have.PropagateTags = cmp.Or(in.PropagateTags, have.PropagateTags)
	have.InfrastructureOptimization = cmp.Or(in.InfrastructureOptimization, have.InfrastructureOptimization)
	have.AutoRepairConfiguration = cmp.Or(in.AutoRepairConfiguration, have.AutoRepairConfiguration)
	if to, said := have.InstanceLaunchTemplate, in.InstanceLaunchTemplate; to != nil && said != nil {
		to.Ec2InstanceProfileArn = cmp.Or(said.Ec2InstanceProfileArn, to.Ec2InstanceProfileArn)
		to.NetworkConfiguration = cmp.Or(said.NetworkConfiguration, to.NetworkConfiguration)
		to.StorageConfiguration = cmp.Or(said.StorageConfiguration, to.StorageConfiguration)
		to.LocalStorageConfiguration = cmp.Or(said.LocalStorageConfiguration, to.LocalStorageConfiguration)
		to.Monitoring = cmp.Or(said.Monitoring, to.Monitoring)
		to.InstanceMetadataTagsPropagation = cmp.Or(said.InstanceMetadataTagsPropagation, to.InstanceMetadataTagsPropagation)
		to.InstanceRequirements = cmp.Or(said.InstanceRequirements, to.InstanceRequirements)
		to.CapacityReservations = cmp.Or(said.CapacityReservations, to.CapacityReservations)
	}
	var err error
	p.ManagedInstances, err = json.Marshal(have)
	return err
}

// managedInstances is the configuration that was given; empty when it cannot be
// read, which only a newer version's cannot.
func managedInstances(p *cluster.CapacityProvider) *ecs.ManagedInstancesProvider {
	out := &ecs.ManagedInstancesProvider{}
	if json.Unmarshal(p.ManagedInstances, out) != nil {
		return &ecs.ManagedInstancesProvider{}
	}
	return out
}

func showProvider(p *cluster.CapacityProvider, tags bool) ecs.CapacityProvider {
	out := ecs.CapacityProvider{
		CapacityProviderArn: &p.ARN, Name: &p.Name, Cluster: member.Present(p.ClusterARN), Status: ecs.CapacityProviderStatus(p.Status),
		UpdateStatus: ecs.CapacityProviderUpdateStatus(p.UpdateStatus), UpdateStatusReason: member.Present(p.UpdateStatusReason),
		Type: ecs.CapacityProviderType(p.Kind), Tags: []ecs.Tag{},
	}
	if tags {
		out.Tags = showTags(p.Tags)
	}
	if g := p.AutoScaling; g != nil {
		out.AutoScalingGroupProvider = &ecs.AutoScalingGroupProvider{
			AutoScalingGroupArn: &g.Group, ManagedScaling: showScaling(&g.ManagedScaling),
			ManagedTerminationProtection: ecs.ManagedTerminationProtection(g.ManagedTerminationProtection), ManagedDraining: ecs.ManagedDraining(g.ManagedDraining),
		}
	}
	if p.ManagedInstances != nil {
		out.ManagedInstancesProvider = managedInstances(p)
	}
	return out
}

func showScaling(s *cluster.ManagedScaling) *ecs.ManagedScaling {
	out := &ecs.ManagedScaling{Status: ecs.ManagedScalingStatus(s.Status)}
	if s.TargetCapacity > 0 {
		out.TargetCapacity, out.MinimumScalingStepSize, out.MaximumScalingStepSize = int32Of(s.TargetCapacity), int32Of(s.MinimumStep), int32Of(s.MaximumStep)
		out.InstanceWarmupPeriod = int32Of(s.InstanceWarmupPeriod)
	}
	return out
}
