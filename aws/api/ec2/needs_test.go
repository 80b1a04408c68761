package ec2_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

const prefix = "arn:aws:ec2:eu-central-1:123456789012:"

// described are the operations on resources, with what they are about as "type/id"; the
// others are their own action on everything. After a "+" are the types that the tags of
// the request are for.
func described() map[string]string {
	const tags = "&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b&TagSpecification.1.ResourceType="
	return map[string]string{
		"AcceptVpcEndpointConnections":                                              "vpc-endpoint-service/1",
		"AcceptVpcPeeringConnection":                                                "vpc-peering-connection/1",
		"AllocateAddress " + tags + "elastic-ip":                                    "elastic-ip/* +elastic-ip",
		"AssociateAddress AllocationId=eipalloc-1&NetworkInterfaceId=eni-1":         "elastic-ip/eipalloc-1 network-interface/eni-1",
		"AssociateDhcpOptions":                                                      "dhcp-options/1 vpc/1",
		"AssociateNatGatewayAddress":                                                "natgateway/1 elastic-ip/x-1",
		"AssociateRouteTable RouteTableId=rtb-1&SubnetId=subnet-1":                  "route-table/rtb-1 subnet/subnet-1",
		"AssociateVpcCidrBlock":                                                     "vpc/1",
		"AttachInternetGateway":                                                     "internet-gateway/1 vpc/1",
		"AttachNetworkInterface":                                                    "network-interface/1 instance/1",
		"AuthorizeSecurityGroupEgress GroupId=sg-1":                                 "security-group/sg-1",
		"AuthorizeSecurityGroupIngress GroupId=sg-1" + tags + "security-group-rule": "security-group/sg-1 +security-group-rule",
		"AssignIpv6Addresses":                                                       "network-interface/1",
		"AssignPrivateIpAddresses":                                                  "network-interface/1",
		"AssignPrivateNatGatewayAddress":                                            "natgateway/1",
		"AssociateSubnetCidrBlock":                                                  "subnet/1",
		"CreateDefaultSubnet":                                                       "subnet/*",
		"CreateDefaultVpc":                                                          "vpc/*",
		"CreateDhcpOptions":                                                         "dhcp-options/*",
		"CreateEgressOnlyInternetGateway":                                           "egress-only-internet-gateway/* vpc/1",
		"CreateInternetGateway " + tags + "internet-gateway":                        "internet-gateway/* +internet-gateway",
		"CreateManagedPrefixList":                                                   "prefix-list/*",
		"CreateNatGateway SubnetId=subnet-1&AllocationId=eipalloc-1":                "natgateway/* subnet/subnet-1 elastic-ip/eipalloc-1",
		"CreateNetworkAcl":                                                          "network-acl/* vpc/1",
		"CreateNetworkAclEntry":                                                     "network-acl/1",
		"CreateNetworkInterface SubnetId=subnet-1&SecurityGroupId.1=sg-1":           "network-interface/* subnet/subnet-1 security-group/sg-1",
		"CreateRoute":                                                               "route-table/1",
		"CreateRouteTable":                                                          "route-table/* vpc/1",
		"CreateSecurityGroup GroupName=g&GroupDescription=g&VpcId=vpc-1" + tags + "security-group": "security-group/* vpc/vpc-1 +security-group",
		"CreateSubnet VpcId=vpc-1" + tags + "subnet":                                               "subnet/* vpc/vpc-1 +subnet",
		"CreateTags":                "*/x-1",
		"CreateVpc " + tags + "vpc": "vpc/* +vpc",
		"CreateVpcEndpoint VpcId=vpc-1&SubnetId.1=subnet-1&SecurityGroupId.1=sg-1&RouteTableId.1=rtb-1": "vpc-endpoint/* vpc/vpc-1 subnet/subnet-1 security-group/sg-1 route-table/rtb-1",
		"CreateVpcEndpointServiceConfiguration":                                                         "vpc-endpoint-service/*",
		"CreateVpcPeeringConnection":                                                                    "vpc-peering-connection/* vpc/1",
		"DeleteDhcpOptions":                                                                             "dhcp-options/1",
		"DeleteEgressOnlyInternetGateway":                                                               "egress-only-internet-gateway/1",
		"DeleteInternetGateway":                                                                         "internet-gateway/1",
		"DeleteManagedPrefixList":                                                                       "prefix-list/1",
		"DeleteNatGateway":                                                                              "natgateway/1",
		"DeleteNetworkAcl":                                                                              "network-acl/1",
		"DeleteNetworkAclEntry":                                                                         "network-acl/1",
		"DeleteNetworkInterface":                                                                        "network-interface/1",
		"DeleteRoute":                                                                                   "route-table/1",
		"DeleteRouteTable":                                                                              "route-table/1",
		"DeleteSecurityGroup GroupId=sg-1":                                                              "security-group/sg-1",
		"DeleteSubnet":                                                                                  "subnet/1",
		"DeleteTags ResourceId.1=vpc-1&ResourceId.2=sg-1":                                               "vpc/vpc-1 security-group/sg-1",
		"DeleteVpc":                                                                                     "vpc/1",
		"DeleteVpcEndpointServiceConfigurations":                                                        "vpc-endpoint-service/x-1",
		"DeleteVpcEndpoints":                                                                            "vpc-endpoint/x-1",
		"DeleteVpcPeeringConnection":                                                                    "vpc-peering-connection/1",
		"DetachInternetGateway":                                                                         "internet-gateway/1 vpc/1",
		"DetachNetworkInterface":                                                                        "network-interface/1",
		"DisableVgwRoutePropagation":                                                                    "route-table/1",
		"DisassociateAddress AssociationId=eipassoc-1":                                                  "elastic-ip/eipassoc-1",
		"DisassociateNatGatewayAddress":                                                                 "natgateway/1 elastic-ip/x-1",
		"DisassociateRouteTable":                                                                        "route-table/1",
		"DisassociateVpcCidrBlock":                                                                      "vpc/1",
		"EnableVgwRoutePropagation":                                                                     "route-table/1",
		"GetManagedPrefixListEntries":                                                                   "prefix-list/1",
		"GetSecurityGroupsForVpc":                                                                       "vpc/1",
		"ModifyAddressAttribute":                                                                        "elastic-ip/1",
		"ModifyManagedPrefixList":                                                                       "prefix-list/1",
		"ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-1&SecurityGroupId.1=sg-1": "network-interface/eni-1 security-group/sg-1",
		"ModifySecurityGroupRules": "security-group/1 security-group-rule/sgr-1",
		"ModifySubnetAttribute":    "subnet/1",
		"ModifyVpcAttribute":       "vpc/1",
		"ModifyVpcEndpoint VpcEndpointId=vpce-1&AddSubnetId.1=subnet-1&RemoveSecurityGroupId.1=sg-1&AddRouteTableId.1=rtb-1": "vpc-endpoint/vpce-1 subnet/subnet-1 security-group/sg-1 route-table/rtb-1",
		"ModifyVpcEndpointServiceConfiguration":  "vpc-endpoint-service/1",
		"ModifyVpcEndpointServicePermissions":    "vpc-endpoint-service/1",
		"ModifyVpcPeeringConnectionOptions":      "vpc-peering-connection/1",
		"ModifyVpcTenancy":                       "vpc/1",
		"RejectVpcEndpointConnections":           "vpc-endpoint-service/1",
		"RejectVpcPeeringConnection":             "vpc-peering-connection/1",
		"ReleaseAddress AllocationId=eipalloc-1": "elastic-ip/eipalloc-1",
		"ReplaceNetworkAclAssociation":           "network-acl/1 subnet/1",
		"ReplaceNetworkAclEntry":                 "network-acl/1",
		"ReplaceRoute":                           "route-table/1",
		"ReplaceRouteTableAssociation RouteTableId=rtb-1&AssociationId=rtbassoc-1": "route-table/rtb-1 route-table/rtbassoc-1",
		"ResetAddressAttribute":          "elastic-ip/1",
		"ResetNetworkInterfaceAttribute": "network-interface/1",
		"RevokeSecurityGroupEgress GroupId=sg-1&SecurityGroupRuleId.1=sgr-1": "security-group/sg-1 security-group-rule/sgr-1",
		"RevokeSecurityGroupIngress GroupId=sg-1":                            "security-group/sg-1",
		"UnassignIpv6Addresses":                                              "network-interface/1",
		"UnassignPrivateIpAddresses":                                         "network-interface/1",
		"UnassignPrivateNatGatewayAddress":                                   "natgateway/1",
		"UpdateSecurityGroupRuleDescriptionsEgress GroupId=sg-1":             "security-group/sg-1",
		"UpdateSecurityGroupRuleDescriptionsIngress GroupName=g":             "security-group/g",
	}
}

// needed reads a line of described.
func needed(operation, line string) []gateway.Need {
	region := []string{"eu-central-1"}
	var needs []gateway.Need
	for _, word := range strings.Fields(line) {
		need := gateway.Need{Action: "ec2:" + operation, Resources: []string{prefix + word}, Keys: map[string][]string{"ec2:Region": region}}
		if kind, ok := strings.CutPrefix(word, "+"); ok {
			need = gateway.Need{Action: "ec2:CreateTags", Resources: []string{prefix + kind + "/*"}, Keys: map[string][]string{"ec2:Region": region, "ec2:CreateAction": {operation}}}
		}
		needs = append(needs, need)
	}
	return needs
}

func start(t testing.TB) *gatewaytest.Server {
	return gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := ec2.New(st, network.DefaultCIDR)
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
}

func TestAuthorisation(t *testing.T) {
	lines, inputs := map[string]string{}, map[string]string{}
	for said, line := range described() {
		operation, input, _ := strings.Cut(said, " ")
		lines[operation], inputs[operation] = line, strings.TrimPrefix(input, "&")
	}
	handlers := ec2.New(nil, network.DefaultCIDR).Operations()
	var cases []gatewaytest.Authorised
	for n := range shape.API.Operations {
		op := shape.API.Operations[n]
		if handlers[op.Name] == nil {
			continue
		}
		c := gatewaytest.Authorised{Operation: op.Name, Input: inputs[op.Name], Needs: needed(op.Name, lines[op.Name])}
		if c.Input == "" {
			c.Input = least(op.In)
		}
		if len(c.Needs) == 0 {
			c.Needs = []gateway.Need{{Action: "ec2:" + op.Name}}
		}
		cases = append(cases, c)
	}
	gatewaytest.Authorisation(t, start, shape.API, cases)
}

// least is the input with just what the model demands.
func least(in reflect.Type) string {
	var parts []string
	for n := range in.NumField() {
		f := in.Field(n)
		name, options, _ := strings.Cut(f.Tag.Get("wire"), ",")
		if !strings.Contains(","+options+",", ",req,") {
			continue
		}
		for _, o := range strings.Split(options, ",") {
			if q, ok := strings.CutPrefix(o, "query="); ok {
				name = q
			}
		}
		name = strings.ToUpper(name[:1]) + name[1:]
		parts = append(parts, sample(name, f.Type))
	}
	return strings.Join(parts, "&")
}

func sample(name string, t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return name + ".1." + map[string]string{"Tag": "Key=a", "DhcpConfiguration": "Key=a", "SecurityGroupRule": "SecurityGroupRuleId=sgr-1"}[name]
	case t.Kind() == reflect.Slice:
		return name + ".1=x-1"
	case name == "RuleAction":
		return name + "=allow"
	case name == "Attribute":
		return name + "=" + map[string]string{"VpcAttributeName": "enableDnsSupport", "AddressAttributeName": "domain-name"}[t.Name()]
	case name == "InstanceTenancy":
		return name + "=default"
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Bool:
		return name + "=true"
	}
	return name + "=1"
}
