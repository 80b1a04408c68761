package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// What no VPC here has is refused, and so are resources that do not exist and values that
// mean nothing: each in AWS's words, and nothing changes.
func TestRefusals(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	table, address := h.table(vpc), h.address()
	for name, c := range map[string]struct {
		call       func() (any, error)
		code, says string
	}{
		"vpc's range is no range": {func() (any, error) {
			return h.CreateVpc(background, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0")})
		}, "InvalidParameterValue", "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		"vpc's range is too large": {func() (any, error) {
			return h.CreateVpc(background, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/8")})
		}, "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid."},
		"vpc without a range": {func() (any, error) { return h.CreateVpc(background, nil) }, "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."},
		"vpc of IPv6": {func() (any, error) {
			return h.CreateVpc(background, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), AmazonProvidedIpv6CidrBlock: new(true)})
		}, "UnsupportedOperation", "IPv6 and IPAM is not supported."},
		"range that overlaps": {func() (any, error) {
			return h.AssociateVpcCidrBlock(background, &ec2.AssociateVpcCidrBlockInput{VpcId: vpc, CidrBlock: new("10.1.1.0/24")})
		}, "InvalidVpc.Range", "The CIDR '10.1.1.0/24' conflicts with another CIDR of the VPC."},
		"range that is not there": {func() (any, error) {
			return h.DisassociateVpcCidrBlock(background, &ec2.DisassociateVpcCidrBlockInput{AssociationId: new("vpc-cidr-assoc-1")})
		}, "InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR block association ID 'vpc-cidr-assoc-1' does not exist"},
		"the first range": {func() (any, error) {
			return h.DisassociateVpcCidrBlock(background, &ec2.DisassociateVpcCidrBlockInput{AssociationId: h.readVPC(vpc).CidrBlockAssociationSet[0].AssociationId})
		}, "OperationNotPermitted", "It is the primary IPv4 CIDR block of the VPC"},
		"subnet outside": {func() (any, error) {
			return h.CreateSubnet(background, &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: new("10.2.0.0/24")})
		}, "InvalidSubnet.Range", "The CIDR '10.2.0.0/24' is invalid."},
		"subnet's range of IPv6 that is not there": {func() (any, error) {
			return h.DisassociateSubnetCidrBlock(background, &ec2.DisassociateSubnetCidrBlockInput{AssociationId: new("subnet-cidr-assoc-1")})
		}, "InvalidSubnetCidrBlockAssociationID.NotFound", "The subnet CIDR block association ID 'subnet-cidr-assoc-1' does not exist"},
		"route to two places": {func() (any, error) {
			return h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: new("igw-1"), NatGatewayId: new("nat-1")})
		}, "InvalidParameterCombination", "Exactly one target must be given"},
		"route to no gateway": {func() (any, error) {
			return h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: new("igw-1")})
		}, "InvalidGatewayID.NotFound", "The gateway ID 'igw-1' does not exist"},
		"route to no NAT gateway": {func() (any, error) {
			return h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), NatGatewayId: new("nat-1")})
		}, "InvalidNatGatewayID.NotFound", "The natGateway ID 'nat-1' does not exist"},
		"route to a peer": {func() (any, error) {
			return h.CreateRoute(background, &ec2.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), VpcPeeringConnectionId: new("pcx-1")})
		}, "InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID 'pcx-1' does not exist"},
		"rule of a protocol that is none": {func() (any, error) {
			return h.AuthorizeSecurityGroupIngress(background, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: h.defaultGroup(vpc).GroupId, IpProtocol: new("tpc"), CidrIp: new("0.0.0.0/0")})
		}, "InvalidPermission.Malformed", "Invalid IP protocol: tpc"},
		"rule with ports the wrong way round": {func() (any, error) {
			return h.AuthorizeSecurityGroupIngress(background, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: h.defaultGroup(vpc).GroupId, IpProtocol: new("tcp"), FromPort: new(int32(90)), ToPort: new(int32(80)), CidrIp: new("0.0.0.0/0"),
			})
		}, "InvalidParameterValue", "Invalid TCP/UDP port range (90:80)"},
		"rule about no group": {func() (any, error) {
			return h.AuthorizeSecurityGroupIngress(background, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: h.defaultGroup(vpc).GroupId, IpPermissions: []types.IpPermission{{IpProtocol: new("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: new("sg-1")}}}},
			})
		}, "InvalidGroup.NotFound", "The security group 'sg-1' does not exist"},
		"rule that is not there": {func() (any, error) {
			return h.RevokeSecurityGroupIngress(background, &ec2.RevokeSecurityGroupIngressInput{
				GroupId: h.defaultGroup(vpc).GroupId, IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(80)), CidrIp: new("0.0.0.0/0"),
			})
		}, "InvalidPermission.NotFound", "The specified rule does not exist in this security group."},
		"entry above the last": {func() (any, error) {
			return h.CreateNetworkAclEntry(background, &ec2.CreateNetworkAclEntryInput{
				NetworkAclId: new("acl-1"), RuleNumber: new(int32(32767)), Egress: new(true), Protocol: new("-1"), RuleAction: types.RuleActionAllow, CidrBlock: new("0.0.0.0/0"),
			})
		}, "InvalidParameterValue", "The rule number must be from 1 to 32766."},
		"tag of nothing": {func() (any, error) {
			return h.CreateTags(background, &ec2.CreateTagsInput{Resources: []string{"vpc-1"}, Tags: tags("a", "1")})
		}, "InvalidID", "The ID 'vpc-1' is not valid"},
		"tag of AWS": {func() (any, error) {
			return h.CreateTags(background, &ec2.CreateTagsInput{Resources: []string{*vpc}, Tags: tags("aws:a", "1")})
		}, "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"},
		"tags for something else": {func() (any, error) {
			return h.CreateVpc(background, &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: tagged(types.ResourceTypeSubnet, "a", "1")})
		}, "InvalidParameterValue", "'subnet' is not a valid taggable resource type for this operation."},
		"peering": {func() (any, error) {
			return h.CreateVpcPeeringConnection(background, &ec2.CreateVpcPeeringConnectionInput{VpcId: vpc, PeerVpcId: h.vpc()})
		}, "UnsupportedOperation", "VPC peering is not supported"},
		"options of no peering": {func() (any, error) {
			return h.ModifyVpcPeeringConnectionOptions(background, &ec2.ModifyVpcPeeringConnectionOptionsInput{VpcPeeringConnectionId: new("pcx-1")})
		}, "InvalidVpcPeeringConnectionID.NotFound", "pcx-1"},
		"ClassicLink": {func() (any, error) {
			return h.DescribeVpcClassicLink(background, &ec2.DescribeVpcClassicLinkInput{VpcIds: []string{*vpc}})
		}, "UnsupportedOperation", "The functionality you requested is not available in this region."},
		"ClassicLink's names": {func() (any, error) {
			return h.DescribeVpcClassicLinkDnsSupport(background, &ec2.DescribeVpcClassicLinkDnsSupportInput{VpcIds: []string{"vpc-1"}})
		}, "InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist"},
		"service without a balancer": {func() (any, error) {
			return h.CreateVpcEndpointServiceConfiguration(background, &ec2.CreateVpcEndpointServiceConfigurationInput{})
		}, "InvalidParameterValue", "An endpoint service needs at least one Network Load Balancer."},
		"dry run": {func() (any, error) {
			return h.ReleaseAddress(background, &ec2.ReleaseAddressInput{AllocationId: address.AllocationId, DryRun: new(true)})
		}, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.call()
			refused(t, err, c.code, c.says)
		})
	}
	equal(t, "the address is as it was", h.readAddress(address.AllocationId), address)
	equal(t, "the table is as it was", h.readTable(table).Routes, []types.Route{local})
}

// A request that is sent twice with one token makes one thing.
func TestTokensMakeOnce(t *testing.T) {
	h := open(t)
	in := &ec2.CreateRouteTableInput{VpcId: h.vpc(), ClientToken: new("once")}
	first := done[*ec2.CreateRouteTableOutput](t)(h.CreateRouteTable(background, in)).RouteTable
	equal(t, "the second answer", done[*ec2.CreateRouteTableOutput](t)(h.CreateRouteTable(background, in)).RouteTable, first)
	in.VpcId = h.vpc()
	_, err := h.CreateRouteTable(background, in)
	refused(t, err, "IdempotentParameterMismatch", "The client token 'once' has already been used with different parameters.")
}
