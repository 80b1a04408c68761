package ec2

import (
	"context"
	"strconv"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Attributes of a container instance that say what EC2 would know of it.
const (
	attributeType      = "ecs.instance-type"
	attributeArch      = "ecs.cpu-architecture"
	attributeVPC       = "ecs.vpc-id"
	attributeSubnet    = "ecs.subnet-id"
	attributeImage     = "ecs.ami-id"
	attributePrivateIP = "berth.private-ip" // our agents' own
)

// runningCode is EC2's code of the one state shown: a machine whose agent
// is away may well run, and one that was deregistered is not ours to speak of.
const runningCode = 16

var instanceKind = kind[cluster.Instance]{
	noun: "instance", missing: fault.InvalidInstanceID,
	id:   func(i *cluster.Instance) string { return i.EC2ID },
	tags: func(i *cluster.Instance) []workload.Tag { return i.Tags },
	fields: map[string]func(*cluster.Instance) []string{
		"architecture":             one(func(i *cluster.Instance) string { return string(architecture(i)) }),
		"availability-zone":        one(func(i *cluster.Instance) string { return i.Zone }),
		"iam-instance-profile.arn": one(instanceProfile),
		"instance-id":              one(func(i *cluster.Instance) string { return i.EC2ID }),
		"instance-state-code":      always[cluster.Instance](strconv.Itoa(runningCode)),
		"instance-state-name":      always[cluster.Instance]("running"),
		"instance-type":            attribute(attributeType),
		"owner-id":                 one(func(i *cluster.Instance) string { return i.Scope.Account }),
		"private-ip-address":       attribute(attributePrivateIP),
		"subnet-id":                attribute(attributeSubnet),
		"vpc-id":                   attribute(attributeVPC),
	},
}

func attribute(name string) func(*cluster.Instance) []string {
	return func(i *cluster.Instance) []string {
		if value, ok := i.Attribute(name); ok {
			return []string{value}
		}
		return nil
	}
}

func (a *API) describeInstances(ctx context.Context, call *gateway.Call, in *shape.DescribeInstancesRequest) (*shape.DescribeInstancesResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := derived(&instanceKind, ec2Instances(v, call.Scope), selection{in.InstanceIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeInstancesResult{Reservations: each(page, reservationShape), NextToken: next}, nil
}

// ec2Instances are the machines of a scope that are container instances, once
// each: a machine may have registered more than once.
func ec2Instances(r store.Reader, scope arn.Scope) []*cluster.Instance {
	var found []*cluster.Instance
	seen := map[string]bool{}
	for i := range store.Instances.By(r, store.InstancesByOffer, store.OfferEC2) {
		if i.Scope == scope && i.EC2ID != "" && !seen[i.EC2ID] {
			seen[i.EC2ID] = true
			found = append(found, i)
		}
	}
	return found
}

func reservationShape(i *cluster.Instance) shape.Reservation {
	return shape.Reservation{
		ReservationId: new(network.DerivedID("r", i.EC2ID)), OwnerId: new(i.Scope.Account),
		Groups: []shape.GroupIdentifier{}, Instances: []shape.Instance{instanceShape(i)},
	}
}

func instanceShape(i *cluster.Instance) shape.Instance {
	kind, _ := i.Attribute(attributeType)
	out := shape.Instance{
		InstanceId: new(i.EC2ID), InstanceType: shape.InstanceType(kind), ImageId: value(i, attributeImage),
		State:      &shape.InstanceState{Code: new(int32(runningCode)), Name: shape.InstanceStateNameRunning},
		LaunchTime: new(i.RegisteredAt), Placement: &shape.Placement{AvailabilityZone: new(i.Zone), Tenancy: shape.TenancyDefault},
		Architecture: architecture(i), VpcId: value(i, attributeVPC), SubnetId: value(i, attributeSubnet),
		PrivateIpAddress: value(i, attributePrivateIP), CpuOptions: &shape.CpuOptions{CoreCount: new(cores(i)), ThreadsPerCore: new(int32(1))},
		Monitoring: &shape.Monitoring{State: shape.MonitoringStateDisabled}, AmiLaunchIndex: new(int32(0)),
		SecurityGroups: []shape.GroupIdentifier{}, NetworkInterfaces: []shape.InstanceNetworkInterface{},
		BlockDeviceMappings: []shape.InstanceBlockDeviceMapping{}, ProductCodes: []shape.ProductCode{},
		PrivateDnsName: new(""), PublicDnsName: new(""), StateTransitionReason: new(""), Tags: tagShapes(i.Tags),
	}
	if profile := instanceProfile(i); profile != "" {
		out.IamInstanceProfile = &shape.IamInstanceProfile{Arn: new(profile)}
	}
	return out
}

func value(i *cluster.Instance, name string) *string {
	if v, ok := i.Attribute(name); ok {
		return &v
	}
	return nil
}

func architecture(i *cluster.Instance) shape.ArchitectureValues {
	if arch, _ := i.Attribute(attributeArch); strings.HasPrefix(arch, "arm") {
		return shape.ArchitectureValuesArm64
	}
	return shape.ArchitectureValuesX8664
}

// cores counts 1024 CPU units as one.
func cores(i *cluster.Instance) int32 { return int32(max(1, i.Registered.CPU/1024)) }

// instanceProfile has the name of the role it carries, as the console makes them.
func instanceProfile(i *cluster.Instance) string {
	role, err := arn.Parse(i.Role)
	if err != nil {
		return ""
	}
	return i.Scope.Global("iam", "instance-profile/"+role.Name())
}

// tagged is one tag of one resource.
type tagged struct {
	workload.Tag
	resource string
	kind     shape.ResourceType
}

var tagKind = kind[tagged]{
	noun: "tag", missing: fault.InvalidParameterValue,
	id:   func(t *tagged) string { return t.resource + "\x00" + t.Key },
	tags: func(t *tagged) []workload.Tag { return []workload.Tag{t.Tag} },
	fields: map[string]func(*tagged) []string{
		"key":           one(func(t *tagged) string { return t.Key }),
		"resource-id":   one(func(t *tagged) string { return t.resource }),
		"resource-type": one(func(t *tagged) string { return string(t.kind) }),
		"value":         one(func(t *tagged) string { return t.Value }),
	},
}

func (a *API) describeTags(ctx context.Context, call *gateway.Call, in *shape.DescribeTagsRequest) (*shape.DescribeTagsResult, error) {
	v, err := a.view(ctx, call.Scope)
	if err != nil {
		return nil, err
	}
	page, next, err := derived(&tagKind, allTags(v, call.Scope), selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeTagsResult{NextToken: next, Tags: each(page, func(t *tagged) shape.TagDescription {
		return shape.TagDescription{Key: new(t.Key), Value: new(t.Value), ResourceId: new(t.resource), ResourceType: t.kind}
	})}, nil
}

func allTags(r store.Reader, scope arn.Scope) []*tagged {
	var all []*tagged
	add := func(kind shape.ResourceType, id string, tags []workload.Tag) {
		for _, t := range tags {
			all = append(all, &tagged{t, id, kind})
		}
	}
	for _, t := range taggables() {
		t.each(r, scope, func(id string, tags []workload.Tag) { add(t.kind, id, tags) })
	}
	for _, i := range ec2Instances(r, scope) {
		add(shape.ResourceTypeInstance, i.EC2ID, i.Tags)
	}
	return all
}
