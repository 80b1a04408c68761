package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func (h *house) readVPC(id *string) types.Vpc {
	h.t.Helper()
	return done[*ec2.DescribeVpcsOutput](h.t)(h.DescribeVpcs(background, &ec2.DescribeVpcsInput{VpcIds: []string{*id}})).Vpcs[0]
}

// What Terraform's aws_vpc and aws_vpc_ipv4_cidr_block_association do.
func TestVPCLives(t *testing.T) {
	h := open(t)
	in := &ec2.CreateVpcInput{CidrBlock: new("10.1.0.0/16"), TagSpecifications: tagged(types.ResourceTypeVpc, "a", "1", "gone", "1")}
	made := done[*ec2.CreateVpcOutput](t)(h.CreateVpc(background, in)).Vpc
	id := made.VpcId
	associated := &types.VpcCidrBlockState{State: types.VpcCidrBlockStateCodeAssociated}
	want := types.Vpc{
		VpcId: id, CidrBlock: in.CidrBlock, State: types.VpcStateAvailable, OwnerId: &account, IsDefault: new(false), InstanceTenancy: types.TenancyDefault,
		DhcpOptionsId: made.DhcpOptionsId, Tags: tags("a", "1", "gone", "1"), CidrBlockAssociationSet: []types.VpcCidrBlockAssociation{
			{AssociationId: made.CidrBlockAssociationSet[0].AssociationId, CidrBlock: in.CidrBlock, CidrBlockState: associated},
		},
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readVPC(id), want)
	h.vpcBegins(id)

	h.retag(id)
	more := done[*ec2.AssociateVpcCidrBlockOutput](t)(h.AssociateVpcCidrBlock(background, &ec2.AssociateVpcCidrBlockInput{VpcId: id, CidrBlock: new("100.64.0.0/16")})).CidrBlockAssociation
	done[*ec2.ModifyVpcTenancyOutput](t)(h.ModifyVpcTenancy(background, &ec2.ModifyVpcTenancyInput{VpcId: id, InstanceTenancy: types.VpcTenancyDefault}))
	want.Tags = tags("a", "2")
	want.CidrBlockAssociationSet = append(want.CidrBlockAssociationSet, types.VpcCidrBlockAssociation{AssociationId: more.AssociationId, CidrBlock: new("100.64.0.0/16"), CidrBlockState: associated})
	equal(t, "changed", h.readVPC(id), want)
	h.vpcAttributes(id)

	subnet := h.subnet(id, "100.64.1.0/24")
	apart := &ec2.DisassociateVpcCidrBlockInput{AssociationId: more.AssociationId}
	_, err := h.DisassociateVpcCidrBlock(background, apart)
	refused(t, err, "DependencyViolation", "has dependencies and cannot be disassociated")
	_, err = h.DeleteVpc(background, &ec2.DeleteVpcInput{VpcId: id})
	refused(t, err, "DependencyViolation", "The vpc '"+*id+"' has dependencies and cannot be deleted.")
	done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: subnet}))
	done[*ec2.DisassociateVpcCidrBlockOutput](t)(h.DisassociateVpcCidrBlock(background, apart))
	want.CidrBlockAssociationSet = want.CidrBlockAssociationSet[:1]
	equal(t, "with one range again", h.readVPC(id), want)
	done[*ec2.DeleteVpcOutput](t)(h.DeleteVpc(background, &ec2.DeleteVpcInput{VpcId: id}))
	_, err = h.DescribeVpcs(background, &ec2.DescribeVpcsInput{VpcIds: []string{*id}})
	refused(t, err, "InvalidVpcID.NotFound", "The vpc ID '"+*id+"' does not exist")
}

// vpcBegins holds what a new VPC has: a route table, an ACL and a group.
func (h *house) vpcBegins(id *string) {
	h.t.Helper()
	in := []types.Filter{filter("vpc-id", *id)}
	tables := done[*ec2.DescribeRouteTablesOutput](h.t)(h.DescribeRouteTables(background, &ec2.DescribeRouteTablesInput{Filters: append(in, filter("association.main", "true"))})).RouteTables
	equal(h.t, "main tables", len(tables), 1)
	equal(h.t, "its routes", tables[0].Routes, []types.Route{{
		DestinationCidrBlock: new("10.1.0.0/16"), GatewayId: new("local"), Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
	}})
	acls := done[*ec2.DescribeNetworkAclsOutput](h.t)(h.DescribeNetworkAcls(background, &ec2.DescribeNetworkAclsInput{Filters: append(in, filter("default", "true"))})).NetworkAcls
	equal(h.t, "default ACLs", len(acls), 1)
	equal(h.t, "its entries", len(acls[0].Entries), 4)
	g := h.defaultGroup(id)
	equal(h.t, "the default group", *g.Description, "default VPC security group")
	equal(h.t, "what it admits", g.IpPermissions, []types.IpPermission{{
		IpProtocol: new("-1"), IpRanges: []types.IpRange{}, Ipv6Ranges: []types.Ipv6Range{}, PrefixListIds: []types.PrefixListId{},
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: g.GroupId, UserId: &account}},
	}})
}

// vpcAttributes reads all attributes before and after they are turned.
func (h *house) vpcAttributes(id *string) {
	h.t.Helper()
	read := func(name types.VpcAttributeName) bool {
		out := done[*ec2.DescribeVpcAttributeOutput](h.t)(h.DescribeVpcAttribute(background, &ec2.DescribeVpcAttributeInput{VpcId: id, Attribute: name}))
		for _, v := range []*types.AttributeBooleanValue{out.EnableDnsSupport, out.EnableDnsHostnames, out.EnableNetworkAddressUsageMetrics} {
			if v != nil {
				return *v.Value
			}
		}
		h.t.Fatalf("%s is not answered", name)
		return false
	}
	for _, c := range []struct {
		name  types.VpcAttributeName
		first bool
		in    func(*types.AttributeBooleanValue) *ec2.ModifyVpcAttributeInput
	}{
		{types.VpcAttributeNameEnableDnsSupport, true, func(v *types.AttributeBooleanValue) *ec2.ModifyVpcAttributeInput {
			return &ec2.ModifyVpcAttributeInput{VpcId: id, EnableDnsSupport: v}
		}},
		{types.VpcAttributeNameEnableDnsHostnames, false, func(v *types.AttributeBooleanValue) *ec2.ModifyVpcAttributeInput {
			return &ec2.ModifyVpcAttributeInput{VpcId: id, EnableDnsHostnames: v}
		}},
		{types.VpcAttributeNameEnableNetworkAddressUsageMetrics, false, func(v *types.AttributeBooleanValue) *ec2.ModifyVpcAttributeInput {
			return &ec2.ModifyVpcAttributeInput{VpcId: id, EnableNetworkAddressUsageMetrics: v}
		}},
	} {
		equal(h.t, string(c.name), read(c.name), c.first)
		done[*ec2.ModifyVpcAttributeOutput](h.t)(h.ModifyVpcAttribute(background, c.in(&types.AttributeBooleanValue{Value: new(!c.first)})))
		equal(h.t, string(c.name)+" changed", read(c.name), !c.first)
	}
}

// What Terraform's aws_default_vpc and aws_default_subnet do.
func TestDefaultVPCComesBack(t *testing.T) {
	h := open(t)
	first := done[*ec2.DescribeVpcsOutput](t)(h.DescribeVpcs(background, &ec2.DescribeVpcsInput{Filters: []types.Filter{filter("is-default", "true")}})).Vpcs[0]
	_, err := h.CreateDefaultVpc(background, nil)
	refused(t, err, "DefaultVpcAlreadyExists", "A Default VPC already exists")
	subnets := done[*ec2.DescribeSubnetsOutput](t)(h.DescribeSubnets(background, nil)).Subnets
	equal(t, "default subnets", len(subnets), 3)
	_, err = h.CreateDefaultSubnet(background, &ec2.CreateDefaultSubnetInput{AvailabilityZone: subnets[0].AvailabilityZone})
	refused(t, err, "DefaultSubnetAlreadyExistsInAvailabilityZone", *subnets[0].SubnetId)
	done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: subnets[0].SubnetId}))
	again := *done[*ec2.CreateDefaultSubnetOutput](t)(h.CreateDefaultSubnet(background, &ec2.CreateDefaultSubnetInput{AvailabilityZone: subnets[0].AvailabilityZone})).Subnet
	want := subnets[0]
	want.SubnetId, want.SubnetArn = again.SubnetId, again.SubnetArn
	equal(t, "made again", again, want)
	igw := done[*ec2.DescribeInternetGatewaysOutput](t)(h.DescribeInternetGateways(background, nil)).InternetGateways[0].InternetGatewayId
	for _, s := range append(subnets[1:], again) {
		done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: s.SubnetId}))
	}
	done[*ec2.DetachInternetGatewayOutput](t)(h.DetachInternetGateway(background, &ec2.DetachInternetGatewayInput{InternetGatewayId: igw, VpcId: first.VpcId}))
	done[*ec2.DeleteVpcOutput](t)(h.DeleteVpc(background, &ec2.DeleteVpcInput{VpcId: first.VpcId}))
	_, err = h.CreateDefaultSubnet(background, &ec2.CreateDefaultSubnetInput{AvailabilityZone: subnets[0].AvailabilityZone})
	refused(t, err, "DefaultVpcDoesNotExist", "No default VPC exists")
	second := *done[*ec2.CreateDefaultVpcOutput](t)(h.CreateDefaultVpc(background, nil)).Vpc
	equal(t, "read", h.readVPC(second.VpcId), second)
	equal(t, "its subnets", len(done[*ec2.DescribeSubnetsOutput](t)(h.DescribeSubnets(background, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{filter("vpc-id", *second.VpcId), filter("default-for-az", "true"), filter("map-public-ip-on-launch", "true")},
	})).Subnets), 3)
}

// What Terraform's aws_vpc_dhcp_options and its association do.
func TestDHCPOptionsLive(t *testing.T) {
	h := open(t)
	value := func(key string, values ...string) types.DhcpConfiguration {
		c := types.DhcpConfiguration{Key: &key}
		for _, v := range values {
			c.Values = append(c.Values, types.AttributeValue{Value: &v})
		}
		return c
	}
	vpc := h.vpc()
	made := done[*ec2.CreateDhcpOptionsOutput](t)(h.CreateDhcpOptions(background, &ec2.CreateDhcpOptionsInput{
		DhcpConfigurations: []types.NewDhcpConfiguration{
			{Key: new("domain-name"), Values: []string{"a.example.com"}}, {Key: new("domain-name-servers"), Values: []string{"10.1.0.2", "AmazonProvidedDNS"}},
			{Key: new("ntp-servers"), Values: []string{"10.1.0.3"}}, {Key: new("netbios-name-servers"), Values: []string{"10.1.0.4"}}, {Key: new("netbios-node-type"), Values: []string{"2"}},
		}, TagSpecifications: tagged(types.ResourceTypeDhcpOptions, "a", "1", "gone", "1"),
	})).DhcpOptions
	id := made.DhcpOptionsId
	want := types.DhcpOptions{DhcpOptionsId: id, OwnerId: &account, Tags: tags("a", "1", "gone", "1"), DhcpConfigurations: []types.DhcpConfiguration{
		value("domain-name", "a.example.com"), value("domain-name-servers", "10.1.0.2", "AmazonProvidedDNS"), value("ntp-servers", "10.1.0.3"),
		value("netbios-name-servers", "10.1.0.4"), value("netbios-node-type", "2"),
	}}
	equal(t, "made", *made, want)
	h.retag(id)
	want.Tags = tags("a", "2")
	read := done[*ec2.DescribeDhcpOptionsOutput](t)(h.DescribeDhcpOptions(background, &ec2.DescribeDhcpOptionsInput{
		Filters: []types.Filter{filter("key", "domain-name"), filter("value", "a.example.*")},
	})).DhcpOptions
	equal(t, "read", read, []types.DhcpOptions{want})
	done[*ec2.AssociateDhcpOptionsOutput](t)(h.AssociateDhcpOptions(background, &ec2.AssociateDhcpOptionsInput{DhcpOptionsId: id, VpcId: vpc}))
	equal(t, "the VPC's", *h.readVPC(vpc).DhcpOptionsId, *id)
	_, err := h.DeleteDhcpOptions(background, &ec2.DeleteDhcpOptionsInput{DhcpOptionsId: id})
	refused(t, err, "DependencyViolation", "The dhcpOptions '"+*id+"' has dependencies and cannot be deleted.")
	done[*ec2.AssociateDhcpOptionsOutput](t)(h.AssociateDhcpOptions(background, &ec2.AssociateDhcpOptionsInput{DhcpOptionsId: new("default"), VpcId: vpc}))
	equal(t, "the VPC's, taken away", *h.readVPC(vpc).DhcpOptionsId, "default")
	done[*ec2.DeleteDhcpOptionsOutput](t)(h.DeleteDhcpOptions(background, &ec2.DeleteDhcpOptionsInput{DhcpOptionsId: id}))
	_, err = h.DescribeDhcpOptions(background, &ec2.DescribeDhcpOptionsInput{DhcpOptionsIds: []string{*id}})
	refused(t, err, "InvalidDhcpOptionsID.NotFound", *id)
}
