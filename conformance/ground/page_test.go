package ground_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const many = 7

// crowd makes more of everything than a page of five has.
func crowd(h *house) (list, service, vpc *string) {
	vpc = h.vpc()
	first := h.subnet(vpc, "10.1.100.0/24")
	arn := h.nlb("one")
	list = done[*ec2.CreateManagedPrefixListOutput](h.t)(h.CreateManagedPrefixList(background, &ec2.CreateManagedPrefixListInput{PrefixListName: new("many"), AddressFamily: new("IPv4"), MaxEntries: new(int32(many))})).PrefixList.PrefixListId
	for n := range many {
		h.vpc()
		h.subnet(vpc, fmt.Sprintf("10.1.%d.0/24", n))
		h.table(vpc)
		h.group(vpc, fmt.Sprint("group", n))
		h.list(fmt.Sprint("list", n))
		h.address()
		done[*ec2.CreateInternetGatewayOutput](h.t)(h.CreateInternetGateway(background, nil))
		done[*ec2.CreateEgressOnlyInternetGatewayOutput](h.t)(h.CreateEgressOnlyInternetGateway(background, &ec2.CreateEgressOnlyInternetGatewayInput{VpcId: vpc}))
		done[*ec2.CreateNatGatewayOutput](h.t)(h.CreateNatGateway(background, &ec2.CreateNatGatewayInput{SubnetId: first, ConnectivityType: types.ConnectivityTypePrivate}))
		done[*ec2.CreateNetworkAclOutput](h.t)(h.CreateNetworkAcl(background, &ec2.CreateNetworkAclInput{VpcId: vpc, TagSpecifications: tagged(types.ResourceTypeNetworkAcl, "n", fmt.Sprint(n))}))
		done[*ec2.CreateNetworkInterfaceOutput](h.t)(h.CreateNetworkInterface(background, &ec2.CreateNetworkInterfaceInput{SubnetId: first}))
		done[*ec2.CreateDhcpOptionsOutput](h.t)(h.CreateDhcpOptions(background, &ec2.CreateDhcpOptionsInput{DhcpConfigurations: []types.NewDhcpConfiguration{{Key: new("domain-name"), Values: []string{"a.test"}}}}))
		service = done[*ec2.CreateVpcEndpointServiceConfigurationOutput](h.t)(h.CreateVpcEndpointServiceConfiguration(background, &ec2.CreateVpcEndpointServiceConfigurationInput{NetworkLoadBalancerArns: []string{arn}})).ServiceConfiguration.ServiceId
		done[*ec2.ModifyManagedPrefixListOutput](h.t)(h.ModifyManagedPrefixList(background, &ec2.ModifyManagedPrefixListInput{
			PrefixListId: list, CurrentVersion: new(int64(n + 1)), AddEntries: []types.AddPrefixListEntry{{Cidr: new(fmt.Sprintf("10.%d.0.0/16", n))}},
		}))
	}
	name := h.readService(service).ServiceName
	for n := range many {
		done[*ec2.CreateVpcEndpointOutput](h.t)(h.CreateVpcEndpoint(background, &ec2.CreateVpcEndpointInput{VpcId: vpc, ServiceName: name, VpcEndpointType: types.VpcEndpointTypeInterface}))
		done[*ec2.ModifyVpcEndpointServicePermissionsOutput](h.t)(h.ModifyVpcEndpointServicePermissions(background, &ec2.ModifyVpcEndpointServicePermissionsInput{
			ServiceId: service, AddAllowedPrincipals: []string{fmt.Sprintf("arn:aws:iam::21098765432%d:root", n)},
		}))
		id := h.readAddress(h.address().AllocationId).AllocationId
		done[*ec2.ModifyAddressAttributeOutput](h.t)(h.ModifyAddressAttribute(background, &ec2.ModifyAddressAttributeInput{AllocationId: id, DomainName: new("a.example.com")}))
	}
	return list, service, vpc
}

// Every list that has pages has all of it on them, once and in one order.
func TestPagesHaveAllOfAList(t *testing.T) {
	h := open(t)
	list, service, vpc := crowd(h)
	ask := func(l listing, most *int32, token *string) ([]string, *string, error) {
		return l.ask(h, map[string]any{
			"PrefixListId": list, "ServiceId": service, "VpcId": vpc, "Attribute": types.AddressAttributeNameDomainName, "MaxResults": most, "NextToken": token,
		})
	}
	for _, l := range []listing{
		{"DescribeAddressesAttribute", "Addresses", "AllocationId"},
		{"DescribeDhcpOptions", "DhcpOptions", "DhcpOptionsId"},
		{"DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"},
		{"DescribeInternetGateways", "InternetGateways", "InternetGatewayId"},
		{"DescribeManagedPrefixLists", "PrefixLists", "PrefixListId"},
		{"DescribeNatGateways", "NatGateways", "NatGatewayId"},
		{"DescribeNetworkAcls", "NetworkAcls", "NetworkAclId"},
		{"DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId"},
		{"DescribeRouteTables", "RouteTables", "RouteTableId"},
		{"DescribeSecurityGroupRules", "SecurityGroupRules", "SecurityGroupRuleId"},
		{"DescribeSecurityGroups", "SecurityGroups", "GroupId"},
		{"DescribeSubnets", "Subnets", "SubnetId"},
		{"DescribeTags", "Tags", "ResourceId"},
		{"DescribeVpcEndpointConnections", "VpcEndpointConnections", "VpcEndpointId"},
		{"DescribeVpcEndpointServiceConfigurations", "ServiceConfigurations", "ServiceId"},
		{"DescribeVpcEndpointServicePermissions", "AllowedPrincipals", "Principal"},
		{"DescribeVpcEndpointServices", "ServiceDetails", "ServiceName"},
		{"DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId"},
		{"DescribeVpcs", "Vpcs", "VpcId"},
		{"GetManagedPrefixListEntries", "Entries", "Cidr"},
		{"GetSecurityGroupsForVpc", "SecurityGroupForVpcs", "GroupId"},
	} {
		t.Run(l.operation, func(t *testing.T) {
			whole, next, err := ask(l, nil, nil)
			if err != nil || next != nil || len(whole) < many {
				t.Fatalf("in one: %v, %v, %v", whole, next, err)
			}
			var got []string
			for part, token, more := []string(nil), (*string)(nil), true; more; more = token != nil {
				part, token, err = ask(l, new(int32(5)), token)
				if err != nil || len(part) > 5 || len(part) == 0 {
					t.Fatalf("a page: %v, %v", part, err)
				}
				got = append(got, part...)
			}
			equal(t, "pages", got, whole)
			equal(t, "once", len(slices.Compact(slices.Sorted(slices.Values(got)))), len(got))
			_, _, err = ask(l, new(int32(5)), new("?"))
			refused(t, err, "InvalidParameterValue", "The token '?' is invalid")
		})
	}
}
