package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`

func (h *house) readEndpoint(id *string) types.VpcEndpoint {
	h.t.Helper()
	return done[*ec2.DescribeVpcEndpointsOutput](h.t)(h.DescribeVpcEndpoints(background, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{*id}})).VpcEndpoints[0]
}

func (h *house) modifyEndpoint(in ec2.ModifyVpcEndpointInput) {
	h.t.Helper()
	done[*ec2.ModifyVpcEndpointOutput](h.t)(h.ModifyVpcEndpoint(background, &in))
}

// What Terraform's aws_vpc_endpoint does with a gateway endpoint.
func TestGatewayEndpointLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	first, second := h.table(vpc), h.table(vpc)
	made := done[*ec2.CreateVpcEndpointOutput](t)(h.CreateVpcEndpoint(background, &ec2.CreateVpcEndpointInput{
		VpcId: vpc, ServiceName: new("com.amazonaws.eu-central-1.s3"), RouteTableIds: []string{*first}, PolicyDocument: new(policy),
		TagSpecifications: tagged(types.ResourceTypeVpcEndpoint, "a", "1", "gone", "1"),
	})).VpcEndpoint
	id := made.VpcEndpointId
	want := types.VpcEndpoint{
		VpcEndpointId: id, VpcId: vpc, ServiceName: new("com.amazonaws.eu-central-1.s3"), VpcEndpointType: types.VpcEndpointTypeGateway, State: "available", OwnerId: &account,
		PolicyDocument: new(policy), RouteTableIds: []string{*first}, SubnetIds: []string{}, NetworkInterfaceIds: []string{}, Groups: []types.SecurityGroupIdentifier{},
		DnsEntries: []types.DnsEntry{}, PrivateDnsEnabled: new(false), RequesterManaged: new(false), CreationTimestamp: made.CreationTimestamp, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readEndpoint(id), want)
	route := h.readTable(first).Routes[1]
	equal(t, "the route's target", *route.GatewayId, *id)
	equal(t, "the route's state", route.State, types.RouteStateActive)
	h.retag(id)
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, AddRouteTableIds: []string{*second}, RemoveRouteTableIds: []string{*first}})
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, PolicyDocument: new(`{"Statement":[]}`)})
	want.RouteTableIds, want.PolicyDocument, want.Tags = []string{*second}, new(`{"Statement":[]}`), tags("a", "2")
	equal(t, "changed", h.readEndpoint(id), want)
	equal(t, "routes left", len(h.readTable(first).Routes), 1)
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, ResetPolicy: new(true)})
	equal(t, "the policy reset", *h.readEndpoint(id).PolicyDocument, `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`)
	h.endpointEnds(id)
	equal(t, "routes at the end", len(h.readTable(second).Routes), 1)
	_, err := h.CreateVpcEndpoint(background, &ec2.CreateVpcEndpointInput{VpcId: vpc, ServiceName: new("com.amazonaws.eu-central-1.none")})
	refused(t, err, "InvalidServiceName", "The Vpc Endpoint Service 'com.amazonaws.eu-central-1.none' does not exist")
}

// endpointEnds deletes an endpoint, twice.
func (h *house) endpointEnds(id *string) {
	h.t.Helper()
	away := &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*id}}
	equal(h.t, "not deleted", len(done[*ec2.DeleteVpcEndpointsOutput](h.t)(h.DeleteVpcEndpoints(background, away)).Unsuccessful), 0)
	failed := done[*ec2.DeleteVpcEndpointsOutput](h.t)(h.DeleteVpcEndpoints(background, away)).Unsuccessful
	equal(h.t, "deleted twice", *failed[0].Error.Code, "InvalidVpcEndpointId.NotFound")
	_, err := h.DescribeVpcEndpoints(background, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{*id}})
	refused(h.t, err, "InvalidVpcEndpointId.NotFound", *id)
}

// What Terraform's aws_vpc_endpoint does with an interface endpoint.
func TestInterfaceEndpointLives(t *testing.T) {
	h := open(t)
	vpc := h.vpc()
	first, second, group := h.subnet(vpc, "10.1.1.0/24"), h.subnet(vpc, "10.1.2.0/24"), h.group(vpc, "second")
	byDefault := h.defaultGroup(vpc).GroupId
	made := done[*ec2.CreateVpcEndpointOutput](t)(h.CreateVpcEndpoint(background, &ec2.CreateVpcEndpointInput{
		VpcId: vpc, ServiceName: new("com.amazonaws.eu-central-1.logs"), VpcEndpointType: types.VpcEndpointTypeInterface, SubnetIds: []string{*first}, PrivateDnsEnabled: new(true),
		TagSpecifications: tagged(types.ResourceTypeVpcEndpoint, "a", "1", "gone", "1"),
	})).VpcEndpoint
	id := made.VpcEndpointId
	want := types.VpcEndpoint{
		VpcEndpointId: id, VpcId: vpc, ServiceName: new("com.amazonaws.eu-central-1.logs"), VpcEndpointType: types.VpcEndpointTypeInterface, State: "available", OwnerId: &account,
		PolicyDocument: made.PolicyDocument, RouteTableIds: []string{}, SubnetIds: []string{*first}, NetworkInterfaceIds: made.NetworkInterfaceIds,
		Groups: []types.SecurityGroupIdentifier{{GroupId: byDefault, GroupName: new("default")}}, DnsEntries: made.DnsEntries, PrivateDnsEnabled: new(true),
		RequesterManaged: new(false), IpAddressType: types.IpAddressTypeIpv4, DnsOptions: &types.DnsOptions{DnsRecordIpType: types.DnsRecordIpTypeIpv4},
		CreationTimestamp: made.CreationTimestamp, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readEndpoint(id), want)
	i := h.readInterface(&made.NetworkInterfaceIds[0])
	equal(t, "its interface", *i.Description, "VPC Endpoint Interface "+*id)
	_, err := h.DeleteNetworkInterface(background, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: i.NetworkInterfaceId})
	refused(t, err, "InvalidNetworkInterface.InUse", *i.NetworkInterfaceId)
	_, err = h.AssignPrivateIpAddresses(background, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: i.NetworkInterfaceId, SecondaryPrivateIpAddressCount: new(int32(1))})
	refused(t, err, "OperationNotPermitted", "is managed by AWS")

	h.retag(id)
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, AddSubnetIds: []string{*second}, RemoveSubnetIds: []string{*first}})
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, AddSecurityGroupIds: []string{*group}, RemoveSecurityGroupIds: []string{*byDefault}})
	h.modifyEndpoint(ec2.ModifyVpcEndpointInput{VpcEndpointId: id, PrivateDnsEnabled: new(false)})
	changed := h.readEndpoint(id)
	want.SubnetIds, want.Groups, want.PrivateDnsEnabled = []string{*second}, []types.SecurityGroupIdentifier{{GroupId: group, GroupName: new("second")}}, new(false)
	want.NetworkInterfaceIds, want.Tags = changed.NetworkInterfaceIds, tags("a", "2")
	equal(t, "changed", changed, want)
	moved := h.readInterface(&changed.NetworkInterfaceIds[0])
	equal(t, "the interface's subnet", *moved.SubnetId, *second)
	equal(t, "the interface's group", moved.Groups, []types.GroupIdentifier{{GroupId: group, GroupName: new("second")}})
	_, err = h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: second})
	refused(t, err, "DependencyViolation", *second)
	h.endpointEnds(id)
	done[*ec2.DeleteSubnetOutput](t)(h.DeleteSubnet(background, &ec2.DeleteSubnetInput{SubnetId: second}))
}
