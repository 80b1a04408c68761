package door_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// A stack's network is made, read as it was made, and taken down in the order that
// Terraform does.
func TestNetworkIsMadeReadAndRemoved(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	vpc := must[*client.CreateVpcOutput](t)(c.CreateVpc(ctx, &client.CreateVpcInput{CidrBlock: aws.String("10.1.0.0/16"), TagSpecifications: []types.TagSpecification{
		{ResourceType: types.ResourceTypeVpc, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("net")}}},
	}})).Vpc
	subnet := must[*client.CreateSubnetOutput](t)(c.CreateSubnet(ctx, &client.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.1.1.0/24")})).Subnet
	_, err := c.CreateSubnet(ctx, &client.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.1.1.128/25")})
	expect(t, err, "InvalidSubnet.Conflict")
	igw := must[*client.CreateInternetGatewayOutput](t)(c.CreateInternetGateway(ctx, nil)).InternetGateway
	must[*client.AttachInternetGatewayOutput](t)(c.AttachInternetGateway(ctx, &client.AttachInternetGatewayInput{InternetGatewayId: igw.InternetGatewayId, VpcId: vpc.VpcId}))
	table := must[*client.CreateRouteTableOutput](t)(c.CreateRouteTable(ctx, &client.CreateRouteTableInput{VpcId: vpc.VpcId})).RouteTable
	must[*client.CreateRouteOutput](t)(c.CreateRoute(ctx, &client.CreateRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: igw.InternetGatewayId}))
	joined := must[*client.AssociateRouteTableOutput](t)(c.AssociateRouteTable(ctx, &client.AssociateRouteTableInput{RouteTableId: table.RouteTableId, SubnetId: subnet.SubnetId}))
	eip := must[*client.AllocateAddressOutput](t)(c.AllocateAddress(ctx, nil))
	nat := must[*client.CreateNatGatewayOutput](t)(c.CreateNatGateway(ctx, &client.CreateNatGatewayInput{SubnetId: subnet.SubnetId, AllocationId: eip.AllocationId})).NatGateway
	read := must[*client.DescribeRouteTablesOutput](t)(c.DescribeRouteTables(ctx, &client.DescribeRouteTablesInput{Filters: []types.Filter{filter("association.subnet-id", *subnet.SubnetId)}})).RouteTables
	if len(read) != 1 || len(read[0].Routes) != 2 || *read[0].Routes[1].GatewayId != *igw.InternetGatewayId || read[0].Routes[1].State != types.RouteStateActive {
		t.Errorf("tables %+v", read)
	}
	_, err = c.DeleteSubnet(ctx, &client.DeleteSubnetInput{SubnetId: subnet.SubnetId})
	expect(t, err, "DependencyViolation")
	_, err = c.DeleteVpc(ctx, &client.DeleteVpcInput{VpcId: vpc.VpcId, DryRun: aws.Bool(true)})
	expect(t, err, "DryRunOperation")
	must[*client.DeleteNatGatewayOutput](t)(c.DeleteNatGateway(ctx, &client.DeleteNatGatewayInput{NatGatewayId: nat.NatGatewayId}))
	must[*client.ReleaseAddressOutput](t)(c.ReleaseAddress(ctx, &client.ReleaseAddressInput{AllocationId: eip.AllocationId}))
	must[*client.DisassociateRouteTableOutput](t)(c.DisassociateRouteTable(ctx, &client.DisassociateRouteTableInput{AssociationId: joined.AssociationId}))
	must[*client.DetachInternetGatewayOutput](t)(c.DetachInternetGateway(ctx, &client.DetachInternetGatewayInput{InternetGatewayId: igw.InternetGatewayId, VpcId: vpc.VpcId}))
	must[*client.DeleteRouteTableOutput](t)(c.DeleteRouteTable(ctx, &client.DeleteRouteTableInput{RouteTableId: table.RouteTableId}))
	must[*client.DeleteSubnetOutput](t)(c.DeleteSubnet(ctx, &client.DeleteSubnetInput{SubnetId: subnet.SubnetId}))
	must[*client.DeleteVpcOutput](t)(c.DeleteVpc(ctx, &client.DeleteVpcInput{VpcId: vpc.VpcId}))
	_, err = c.DescribeVpcs(ctx, &client.DescribeVpcsInput{VpcIds: []string{*vpc.VpcId}})
	expect(t, err, "InvalidVpcID.NotFound")
}

func TestGroupsAndEndpointsAreMadeReadAndRemoved(t *testing.T) {
	_, c := connect(t)
	ctx := context.Background()
	subnet := must[*client.DescribeSubnetsOutput](t)(c.DescribeSubnets(ctx, nil)).Subnets[0]
	g := must[*client.CreateSecurityGroupOutput](t)(c.CreateSecurityGroup(ctx, &client.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("of web"), VpcId: subnet.VpcId}))
	web := []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8"), Description: aws.String("home")}}}}
	allow := &client.AuthorizeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: web}
	made := must[*client.AuthorizeSecurityGroupIngressOutput](t)(c.AuthorizeSecurityGroupIngress(ctx, allow)).SecurityGroupRules
	_, err := c.AuthorizeSecurityGroupIngress(ctx, allow)
	expect(t, err, "InvalidPermission.Duplicate")
	read := must[*client.DescribeSecurityGroupsOutput](t)(c.DescribeSecurityGroups(ctx, &client.DescribeSecurityGroupsInput{GroupIds: []string{*g.GroupId}})).SecurityGroups[0]
	if p := read.IpPermissions; len(p) != 1 || *p[0].FromPort != 80 || *p[0].IpRanges[0].Description != "home" {
		t.Errorf("permissions %+v", p)
	}
	e := must[*client.CreateVpcEndpointOutput](t)(c.CreateVpcEndpoint(ctx, &client.CreateVpcEndpointInput{
		VpcId: subnet.VpcId, ServiceName: aws.String("com.amazonaws." + scope.Region + ".logs"), VpcEndpointType: types.VpcEndpointTypeInterface,
		SubnetIds: []string{*subnet.SubnetId}, SecurityGroupIds: []string{*g.GroupId},
	})).VpcEndpoint
	if len(e.NetworkInterfaceIds) != 1 || e.State != "available" {
		t.Errorf("endpoint %+v", e)
	}
	_, err = c.DeleteSecurityGroup(ctx, &client.DeleteSecurityGroupInput{GroupId: g.GroupId})
	expect(t, err, "DependencyViolation")
	must[*client.DeleteVpcEndpointsOutput](t)(c.DeleteVpcEndpoints(ctx, &client.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*e.VpcEndpointId}}))
	must[*client.RevokeSecurityGroupIngressOutput](t)(c.RevokeSecurityGroupIngress(ctx, &client.RevokeSecurityGroupIngressInput{GroupId: g.GroupId, SecurityGroupRuleIds: []string{*made[0].SecurityGroupRuleId}}))
	must[*client.DeleteSecurityGroupOutput](t)(c.DeleteSecurityGroup(ctx, &client.DeleteSecurityGroupInput{GroupId: g.GroupId}))
}

// expect demands an error of a code.
func expect(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}
