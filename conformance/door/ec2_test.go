package door_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

var scope = gatewaytest.Scope

func startEC2(t testing.TB) *gatewaytest.Server {
	return gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()}}
	}, nil)
}

func connect(t testing.TB) (*gatewaytest.Server, *client.Client) {
	s := startEC2(t)
	return s, client.NewFromConfig(s.Config(s.Root))
}

// must is for calls that have to work.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func TestDefaultVPCIsThereInEveryRegion(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	seen := map[string]bool{}
	for _, region := range []string{"eu-central-1", "us-east-1"} {
		in := func(o *client.Options) { o.Region = region }
		vpcs := must[*client.DescribeVpcsOutput](t)(c.DescribeVpcs(ctx, &client.DescribeVpcsInput{Filters: []types.Filter{filter("is-default", "true")}}, in))
		if len(vpcs.Vpcs) != 1 {
			t.Fatalf("%s: %d default VPCs", region, len(vpcs.Vpcs))
		}
		v := vpcs.Vpcs[0]
		if *v.CidrBlock != "172.31.0.0/16" || !*v.IsDefault || v.State != types.VpcStateAvailable || *v.OwnerId != scope.Account || len(v.CidrBlockAssociationSet) != 1 {
			t.Errorf("%s: %+v", region, v)
		}
		if seen[*v.VpcId] {
			t.Errorf("%s is in two regions", *v.VpcId)
		}
		seen[*v.VpcId] = true
		subnets := must[*client.DescribeSubnetsOutput](t)(c.DescribeSubnets(ctx, &client.DescribeSubnetsInput{Filters: []types.Filter{
			filter("vpc-id", *v.VpcId), filter("default-for-az", "true"),
		}}, in))
		zones := map[string]string{}
		for _, s := range subnets.Subnets {
			zones[*s.AvailabilityZone] = *s.CidrBlock
			if *s.AvailableIpAddressCount != 4091 || !*s.MapPublicIpOnLaunch {
				t.Errorf("%s: %+v", region, s)
			}
		}
		want := map[string]string{region + "a": "172.31.0.0/20", region + "b": "172.31.16.0/20", region + "c": "172.31.32.0/20"}
		if fmt.Sprint(zones) != fmt.Sprint(want) {
			t.Errorf("subnets %v, want %v", zones, want)
		}
	}
}

func TestUnknownRegionsStoreNothing(t *testing.T) {
	s, c := connect(t)
	out := must[*client.DescribeVpcsOutput](t)(c.DescribeVpcs(context.Background(), nil, func(o *client.Options) { o.Region = "eu-centrall-1" }))
	if len(out.Vpcs) != 0 || store.VPCs.Len(s.Store.View()) != 0 {
		t.Errorf("got %+v", out.Vpcs)
	}
}

func TestSecurityGroupsAndTheirRules(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	groups := must[*client.DescribeSecurityGroupsOutput](t)(c.DescribeSecurityGroups(ctx, &client.DescribeSecurityGroupsInput{GroupNames: []string{"default"}}))
	g := groups.SecurityGroups[0]
	if len(groups.SecurityGroups) != 1 || *g.Description != "default VPC security group" {
		t.Fatalf("got %+v", groups.SecurityGroups)
	}
	in, out := g.IpPermissions[0], g.IpPermissionsEgress[0]
	if *in.IpProtocol != "-1" || in.FromPort != nil || *in.UserIdGroupPairs[0].GroupId != *g.GroupId {
		t.Errorf("ingress %+v", in)
	}
	if *out.IpRanges[0].CidrIp != "0.0.0.0/0" || len(out.UserIdGroupPairs) != 0 {
		t.Errorf("egress %+v", out)
	}
	rules := must[*client.DescribeSecurityGroupRulesOutput](t)(c.DescribeSecurityGroupRules(ctx, &client.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{filter("group-id", *g.GroupId)},
	}))
	if len(rules.SecurityGroupRules) != 2 {
		t.Errorf("rules %+v", rules.SecurityGroupRules)
	}
}

func TestRulesOfEqualPortsAreOnePermission(t *testing.T) {
	s, c := connect(t)
	ctx := context.Background()
	s.Put(t, func(tx *store.Tx) {
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-web", VPCID: "vpc-1", Name: "web", Ingress: []network.Rule{
			{ID: "sgr-1", Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "10.0.0.0/8"},
			{ID: "sgr-2", Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR6: "::/0"},
			{ID: "sgr-3", Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "192.168.0.0/16", Description: "home"},
		}})
	})
	out := must[*client.DescribeSecurityGroupsOutput](t)(c.DescribeSecurityGroups(ctx, &client.DescribeSecurityGroupsInput{
		Filters: []types.Filter{filter("ip-permission.from-port", "443")},
	}))
	if len(out.SecurityGroups) != 1 || len(out.SecurityGroups[0].IpPermissions) != 2 {
		t.Fatalf("got %+v", out.SecurityGroups)
	}
	p := out.SecurityGroups[0].IpPermissions[0]
	if *p.FromPort != 80 || len(p.IpRanges) != 2 || *p.IpRanges[1].Description != "home" || p.IpRanges[0].Description != nil {
		t.Errorf("got %+v", p)
	}
}

func TestRoutesGatewaysAndAclsFollowFromTheDefaultVPC(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	vpc := must[*client.DescribeVpcsOutput](t)(c.DescribeVpcs(ctx, nil)).Vpcs[0].VpcId
	gateways := must[*client.DescribeInternetGatewaysOutput](t)(c.DescribeInternetGateways(ctx, &client.DescribeInternetGatewaysInput{
		Filters: []types.Filter{filter("attachment.vpc-id", *vpc)},
	}))
	tables := must[*client.DescribeRouteTablesOutput](t)(c.DescribeRouteTables(ctx, &client.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("association.main", "true"), filter("vpc-id", *vpc)},
	}))
	if len(gateways.InternetGateways) != 1 || len(tables.RouteTables) != 1 {
		t.Fatalf("got %+v and %+v", gateways, tables)
	}
	routes := tables.RouteTables[0].Routes
	if len(routes) != 2 || *routes[0].GatewayId != "local" || *routes[1].GatewayId != *gateways.InternetGateways[0].InternetGatewayId {
		t.Errorf("routes %+v", routes)
	}
	acls := must[*client.DescribeNetworkAclsOutput](t)(c.DescribeNetworkAcls(ctx, nil))
	if len(acls.NetworkAcls) != 1 || len(acls.NetworkAcls[0].Associations) != 3 || len(acls.NetworkAcls[0].Entries) != 4 {
		t.Errorf("acls %+v", acls.NetworkAcls)
	}
	for attribute, want := range map[types.VpcAttributeName]bool{types.VpcAttributeNameEnableDnsHostnames: true, types.VpcAttributeNameEnableDnsSupport: true} {
		out := must[*client.DescribeVpcAttributeOutput](t)(c.DescribeVpcAttribute(ctx, &client.DescribeVpcAttributeInput{VpcId: vpc, Attribute: attribute}))
		for _, v := range []*types.AttributeBooleanValue{out.EnableDnsHostnames, out.EnableDnsSupport} {
			if v != nil && *v.Value != want {
				t.Errorf("%s is %v", attribute, *v.Value)
			}
		}
	}
}

func TestRegionsZonesAndAccount(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	regions := must[*client.DescribeRegionsOutput](t)(c.DescribeRegions(ctx, &client.DescribeRegionsInput{RegionNames: []string{"eu-central-1", "us-east-1"}}))
	if len(regions.Regions) != 2 || *regions.Regions[0].Endpoint != "ec2.eu-central-1.amazonaws.com" {
		t.Errorf("regions %+v", regions.Regions)
	}
	zones := must[*client.DescribeAvailabilityZonesOutput](t)(c.DescribeAvailabilityZones(ctx, &client.DescribeAvailabilityZonesInput{ZoneIds: []string{"euc1-az2"}}))
	if len(zones.AvailabilityZones) != 1 || *zones.AvailabilityZones[0].ZoneName != "eu-central-1b" {
		t.Errorf("zones %+v", zones.AvailabilityZones)
	}
	vpc := must[*client.DescribeVpcsOutput](t)(c.DescribeVpcs(ctx, nil)).Vpcs[0].VpcId
	account := must[*client.DescribeAccountAttributesOutput](t)(c.DescribeAccountAttributes(ctx, &client.DescribeAccountAttributesInput{
		AttributeNames: []types.AccountAttributeName{types.AccountAttributeNameDefaultVpc},
	}))
	if got := *account.AccountAttributes[0].AttributeValues[0].AttributeValue; got != *vpc {
		t.Errorf("default-vpc is %s", got)
	}
}

func TestInterfacesOfTasks(t *testing.T) {
	s, c := connect(t)
	ctx := context.Background()
	s.Furnish(t)
	onEC2, onFargate := gatewaytest.EC2Interface, gatewaytest.FargateInterface
	for name, c2 := range map[string]struct {
		in   client.DescribeNetworkInterfacesInput
		want []string
	}{
		"all":             {client.DescribeNetworkInterfacesInput{}, []string{onEC2, onFargate}},
		"by id":           {client.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{onFargate}}, []string{onFargate}},
		"by instance":     {client.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("attachment.instance-id", gatewaytest.EC2ID)}}, []string{onEC2}},
		"by public":       {client.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("association.public-ip", "203.0.113.*")}}, []string{onFargate}},
		"by group":        {client.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("group-name", "default"), filter("private-ip-address", "172.31.0.4")}}, []string{onEC2}},
		"by one of two":   {client.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("private-ip-address", "172.31.0.4", "172.31.0.6")}}, []string{onEC2}},
		"by description?": {client.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("description", "ELB app/*")}}, nil},
	} {
		var got []string
		for _, i := range must[*client.DescribeNetworkInterfacesOutput](t)(c.DescribeNetworkInterfaces(ctx, &c2.in)).NetworkInterfaces {
			got = append(got, *i.NetworkInterfaceId)
		}
		if fmt.Sprint(got) != fmt.Sprint(c2.want) {
			t.Errorf("%s: %v, want %v", name, got, c2.want)
		}
	}
	two := must[*client.DescribeNetworkInterfacesOutput](t)(c.DescribeNetworkInterfaces(ctx, &client.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{onFargate}})).NetworkInterfaces[0]
	if *two.Association.PublicIp != "203.0.113.9" || two.Attachment.InstanceId != nil || *two.Groups[0].GroupName != "default" || !*two.RequesterManaged {
		t.Errorf("got %+v", two)
	}
}

func TestAddressesInQuarantineAreNotFree(t *testing.T) {
	s, c := connect(t)
	s.Furnish(t)
	out := must[*client.DescribeSubnetsOutput](t)(c.DescribeSubnets(context.Background(), &client.DescribeSubnetsInput{Filters: []types.Filter{filter("availability-zone", "eu-central-1a")}}))
	if got := *out.Subnets[0].AvailableIpAddressCount; got != 4091-3 {
		t.Errorf("%d free", got)
	}
}

func TestContainerInstancesAsEC2SeesThem(t *testing.T) {
	s, c := connect(t)
	ctx := context.Background()
	s.Furnish(t)
	out := must[*client.DescribeInstancesOutput](t)(c.DescribeInstances(ctx, &client.DescribeInstancesInput{InstanceIds: []string{gatewaytest.EC2ID}}))
	i := out.Reservations[0].Instances[0]
	if i.State.Name != types.InstanceStateNameRunning || i.InstanceType != "m5.xlarge" || *i.PrivateIpAddress != "10.1.2.3" || *i.Placement.AvailabilityZone != "eu-central-1a" ||
		*i.CpuOptions.CoreCount != 4 || *i.IamInstanceProfile.Arn != "arn:aws:iam::123456789012:instance-profile/ecsInstanceRole" {
		t.Errorf("got %+v", i)
	}
	tags := must[*client.DescribeTagsOutput](t)(c.DescribeTags(ctx, &client.DescribeTagsInput{Filters: []types.Filter{filter("resource-type", "instance"), filter("key", "Name")}}))
	if len(tags.Tags) != 1 || *tags.Tags[0].Value != "box one" || *tags.Tags[0].ResourceId != *i.InstanceId {
		t.Errorf("tags %+v", tags.Tags)
	}
	byTag := must[*client.DescribeInstancesOutput](t)(c.DescribeInstances(ctx, &client.DescribeInstancesInput{Filters: []types.Filter{filter("tag:Name", "box ?ne")}}))
	if len(byTag.Reservations) != 1 {
		t.Errorf("by tag: %+v", byTag.Reservations)
	}
}

func TestPagesCoverEverythingOnce(t *testing.T) {
	s, c := connect(t)
	ctx := context.Background()
	const all = 23
	s.Put(t, func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: network.DefaultCIDR})
		for n := range all {
			store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: fmt.Sprintf("sg-%02d", n), VPCID: "vpc-1", Name: "g"})
		}
	})
	seen := map[string]bool{}
	pages := client.NewDescribeSecurityGroupsPaginator(c, &client.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5), Filters: []types.Filter{filter("group-name", "g")}})
	count := 0
	for pages.HasMorePages() {
		count++
		for _, g := range must[*client.DescribeSecurityGroupsOutput](t)(pages.NextPage(ctx)).SecurityGroups {
			if seen[*g.GroupId] {
				t.Errorf("%s twice", *g.GroupId)
			}
			seen[*g.GroupId] = true
		}
	}
	if len(seen) != all || count != 5 {
		t.Errorf("%d groups on %d pages", len(seen), count)
	}
}

func TestRefusalsOfEC2(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	for name, c2 := range map[string]struct {
		call       func() error
		code, says string
	}{
		"no such vpc": {func() error {
			_, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
			return err
		}, "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist"},
		"no such subnets": {func() error {
			_, err := c.DescribeSubnets(ctx, &client.DescribeSubnetsInput{SubnetIds: []string{"subnet-2", "subnet-1"}})
			return err
		}, "InvalidSubnetID.NotFound", "The subnet IDs 'subnet-1, subnet-2' do not exist"},
		"no such group": {func() error {
			_, err := c.DescribeSecurityGroups(ctx, &client.DescribeSecurityGroupsInput{GroupNames: []string{"web"}})
			return err
		}, "InvalidGroup.NotFound", "The security group 'web' does not exist in default VPC"},
		"no such filter": {func() error {
			_, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{Filters: []types.Filter{filter("colour", "red")}})
			return err
		}, "InvalidParameterValue", "The filter 'colour' is invalid"},
		"bad token": {func() error {
			_, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{NextToken: aws.String("?")})
			return err
		}, "InvalidParameterValue", "The token '?' is invalid"},
		"small page": {func() error {
			_, err := c.DescribeVpcs(ctx, &client.DescribeVpcsInput{MaxResults: aws.Int32(1)})
			return err
		}, "InvalidParameterValue", "Value (1) for parameter MaxResults is invalid."},
		"no such region": {func() error {
			_, err := c.DescribeRegions(ctx, &client.DescribeRegionsInput{RegionNames: []string{"moon-1"}})
			return err
		}, "InvalidParameterValue", "Invalid region provided: moon-1"},
		"not yet": {func() error {
			_, err := c.CreateVolume(ctx, &client.CreateVolumeInput{AvailabilityZone: aws.String("eu-central-1a"), Size: aws.Int32(1)})
			return err
		}, "InvalidAction", "berth does not support CreateVolume of ec2 yet."},
	} {
		t.Run(name, func(t *testing.T) {
			err := c2.call()
			var refusal smithy.APIError
			if !errors.As(err, &refusal) || refusal.ErrorCode() != c2.code || len(refusal.ErrorMessage()) < len(c2.says) || refusal.ErrorMessage()[:len(c2.says)] != c2.says {
				t.Errorf("got %v, want %s: %s", err, c2.code, c2.says)
			}
		})
	}
}
