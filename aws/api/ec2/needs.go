package ec2

import (
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/store"
)

// Needs says by operation what its callers must be allowed to do. Operations that are
// not here need their own action on everything.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
func (a *API) Needs() map[string]gateway.Needs {
	all := map[string]gateway.Needs{}
	for _, part := range []map[string]lookup{spaceNeeds(), roadNeeds(), guardNeeds(), doorNeeds()} {
		for operation, find := range part {
			all[operation] = a.need(find)
		}
	}
	return all
}

// target is a resource that a call is about. Its id is what the caller wrote where that
// leads to nothing, and "*" for one that the call makes.
type target struct {
	kind shape.ResourceType
	id   string
}

func (t target) arn(scope arn.Scope) string { return scope.Of("ec2", string(t.kind)+"/"+t.id) }

// lookup finds what a request is about.
type lookup func(r store.Reader, scope arn.Scope, in any) []target

// need is the operation's own action on each resource, and that what is born with tags
// may be tagged.
func (a *API) need(find lookup) gateway.Needs {
	return func(call *gateway.Call, in any) []gateway.Need {
		r := a.store.View()
		var needs []gateway.Need
		for _, t := range find(r, call.Scope, in) {
			keys := keysOf(r, call.Scope, t)
			if name := member[*string](in, "ServiceName"); t.kind == shape.ResourceTypeVpcEndpoint && name != nil {
				keys["ec2:VpceServiceName"] = []string{*name}
			}
			needs = append(needs, gateway.Need{Resources: []string{t.arn(call.Scope)}, Keys: keys})
		}
		if len(needs) == 0 { // the request names nothing, which it will be told
			needs = []gateway.Need{{}}
		}
		return append(needs, tagging(call, member[[]shape.TagSpecification](in, "TagSpecifications"))...)
	}
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
func tagging(call *gateway.Call, specifications []shape.TagSpecification) []gateway.Need {
	var needs []gateway.Need
	for _, s := range specifications {
		if len(s.Tags) > 0 {
			needs = append(needs, gateway.Need{
				Action: "ec2:CreateTags", Resources: []string{target{s.ResourceType, "*"}.arn(call.Scope)},
				Keys: map[string][]string{"ec2:CreateAction": {call.Operation}, "ec2:Region": {call.Scope.Region}},
			})
		}
	}
	return needs
}

// on is about what members of the request name, one by id or several.
func on(kind shape.ResourceType, members ...string) lookup {
	return func(_ store.Reader, _ arn.Scope, in any) []target {
		var found []target
		for _, name := range members {
			if id := member[*string](in, name); id != nil {
				found = append(found, target{kind, *id})
			}
			for _, id := range member[[]string](in, name) {
				found = append(found, target{kind, id})
			}
		}
		return found
	}
}

// making is about a new resource.
func making(kind shape.ResourceType) lookup {
	return func(store.Reader, arn.Scope, any) []target { return []target{{kind, "*"}} }
}

func both(parts ...lookup) lookup {
	return func(r store.Reader, scope arn.Scope, in any) []target {
		var found []target
		for _, part := range parts {
			found = append(found, part(r, scope, in)...)
		}
		return found
	}
}

// same gives several operations one lookup.
func same(into map[string]lookup, find lookup, operations ...string) {
	for _, operation := range operations {
		into[operation] = find
	}
}

// spaceNeeds are those of VPCs, subnets, DHCP options and tags.
func spaceNeeds() map[string]lookup {
	vpc, subnet, options := shape.ResourceTypeVpc, shape.ResourceTypeSubnet, shape.ResourceTypeDhcpOptions
	out := map[string]lookup{
		"AssociateDhcpOptions":     both(on(options, "DhcpOptionsId"), on(vpc, "VpcId")),
		"CreateDefaultSubnet":      making(subnet),
		"CreateDhcpOptions":        making(options),
		"CreateSubnet":             both(making(subnet), on(vpc, "VpcId")),
		"DeleteDhcpOptions":        on(options, "DhcpOptionsId"),
		"DisassociateVpcCidrBlock": rangeOf,
	}
	same(out, making(vpc), "CreateVpc", "CreateDefaultVpc")
	same(out, on(vpc, "VpcId"), "AssociateVpcCidrBlock", "DeleteVpc", "ModifyVpcAttribute", "ModifyVpcTenancy")
	same(out, on(subnet, "SubnetId"), "AssociateSubnetCidrBlock", "DeleteSubnet", "ModifySubnetAttribute")
	same(out, labelled, "CreateTags", "DeleteTags")
	return out
}

// roadNeeds are those of routes, gateways and public addresses.
func roadNeeds() map[string]lookup {
	out := tableNeeds()
	vpc, igw, eigw := shape.ResourceTypeVpc, shape.ResourceTypeInternetGateway, shape.ResourceTypeEgressOnlyInternetGateway
	nat, peering, ip := shape.ResourceTypeNatgateway, shape.ResourceTypeVpcPeeringConnection, shape.ResourceTypeElasticIp
	same(out, making(ip), "AllocateAddress")
	same(out, on(ip, "AllocationId"), "ModifyAddressAttribute", "ResetAddressAttribute")
	same(out, addressed, "ReleaseAddress")
	same(out, both(addressed, on(shape.ResourceTypeNetworkInterface, "NetworkInterfaceId"), on(shape.ResourceTypeInstance, "InstanceId")), "AssociateAddress")
	same(out, both(addressed, holding), "DisassociateAddress")
	same(out, making(igw), "CreateInternetGateway")
	same(out, on(igw, "InternetGatewayId"), "DeleteInternetGateway")
	same(out, both(on(igw, "InternetGatewayId"), on(vpc, "VpcId")), "AttachInternetGateway", "DetachInternetGateway")
	same(out, both(making(eigw), on(vpc, "VpcId")), "CreateEgressOnlyInternetGateway")
	same(out, on(eigw, "EgressOnlyInternetGatewayId"), "DeleteEgressOnlyInternetGateway")
	same(out, both(making(nat), on(shape.ResourceTypeSubnet, "SubnetId"), on(ip, "AllocationId", "SecondaryAllocationIds")), "CreateNatGateway")
	same(out, on(nat, "NatGatewayId"), "AssignPrivateNatGatewayAddress", "DeleteNatGateway", "UnassignPrivateNatGatewayAddress")
	same(out, both(on(nat, "NatGatewayId"), on(ip, "AllocationIds")), "AssociateNatGatewayAddress")
	same(out, both(on(nat, "NatGatewayId"), addressed), "DisassociateNatGatewayAddress")
	same(out, both(making(peering), on(vpc, "VpcId")), "CreateVpcPeeringConnection")
	same(out, both(on(peering, "VpcPeeringConnectionId"), accepting), "AcceptVpcPeeringConnection")
	same(out, on(peering, "VpcPeeringConnectionId"), "DeleteVpcPeeringConnection", "ModifyVpcPeeringConnectionOptions", "RejectVpcPeeringConnection")
	return out
}

func tableNeeds() map[string]lookup {
	table, subnet := shape.ResourceTypeRouteTable, shape.ResourceTypeSubnet
	out := map[string]lookup{
		"CreateRouteTable":             both(making(table), on(shape.ResourceTypeVpc, "VpcId")),
		"AssociateRouteTable":          both(on(table, "RouteTableId"), on(subnet, "SubnetId"), on(shape.ResourceTypeInternetGateway, "GatewayId")),
		"DisassociateRouteTable":       tabled,
		"ReplaceRouteTableAssociation": both(on(table, "RouteTableId"), tabled),
	}
	same(out, on(table, "RouteTableId"), "CreateRoute", "DeleteRoute", "DeleteRouteTable",
		"DisableVgwRoutePropagation", "EnableVgwRoutePropagation", "ReplaceRoute")
	return out
}

// guardNeeds are those of security groups, ACLs and prefix lists.
func guardNeeds() map[string]lookup {
	acl, list := shape.ResourceTypeNetworkAcl, shape.ResourceTypePrefixList
	out := map[string]lookup{
		"CreateManagedPrefixList":      making(list),
		"CreateNetworkAcl":             both(making(acl), on(shape.ResourceTypeVpc, "VpcId")),
		"CreateSecurityGroup":          both(making(shape.ResourceTypeSecurityGroup), vpcOrDefault),
		"GetSecurityGroupsForVpc":      on(shape.ResourceTypeVpc, "VpcId"),
		"ModifySecurityGroupRules":     both(grouped, rules),
		"ReplaceNetworkAclAssociation": both(on(acl, "NetworkAclId"), guarded),
	}
	same(out, on(list, "PrefixListId"), "DeleteManagedPrefixList", "GetManagedPrefixListEntries", "ModifyManagedPrefixList")
	same(out, on(acl, "NetworkAclId"), "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry")
	same(out, grouped, "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "DeleteSecurityGroup",
		"UpdateSecurityGroupRuleDescriptionsEgress", "UpdateSecurityGroupRuleDescriptionsIngress")
	same(out, both(grouped, on(shape.ResourceTypeSecurityGroupRule, "SecurityGroupRuleIds")), "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress")
	return out
}

// doorNeeds are those of interfaces, endpoints and the services behind them.
func doorNeeds() map[string]lookup {
	eni, door, service := shape.ResourceTypeNetworkInterface, shape.ResourceTypeVpcEndpoint, shape.ResourceTypeVpcEndpointService
	subnet, group, table := shape.ResourceTypeSubnet, shape.ResourceTypeSecurityGroup, shape.ResourceTypeRouteTable
	out := map[string]lookup{
		"AttachNetworkInterface":          both(on(eni, "NetworkInterfaceId"), on(shape.ResourceTypeInstance, "InstanceId")),
		"CreateNetworkInterface":          both(making(eni), on(subnet, "SubnetId"), on(group, "Groups")),
		"DetachNetworkInterface":          attached,
		"ModifyNetworkInterfaceAttribute": both(on(eni, "NetworkInterfaceId"), on(group, "Groups")),
		"CreateVpcEndpoint": both(making(door), on(shape.ResourceTypeVpc, "VpcId"), on(subnet, "SubnetIds"),
			on(group, "SecurityGroupIds"), on(table, "RouteTableIds")),
		"DeleteVpcEndpoints": on(door, "VpcEndpointIds"),
		"ModifyVpcEndpoint": both(on(door, "VpcEndpointId"), on(subnet, "AddSubnetIds", "RemoveSubnetIds"),
			on(group, "AddSecurityGroupIds", "RemoveSecurityGroupIds"), on(table, "AddRouteTableIds", "RemoveRouteTableIds")),
		"CreateVpcEndpointServiceConfiguration":  making(service),
		"DeleteVpcEndpointServiceConfigurations": on(service, "ServiceIds"),
	}
	same(out, on(eni, "NetworkInterfaceId"), "AssignIpv6Addresses", "AssignPrivateIpAddresses", "DeleteNetworkInterface",
		"ResetNetworkInterfaceAttribute", "UnassignIpv6Addresses", "UnassignPrivateIpAddresses")
	same(out, on(service, "ServiceId"), "AcceptVpcEndpointConnections", "RejectVpcEndpointConnections",
		"ModifyVpcEndpointServiceConfiguration", "ModifyVpcEndpointServicePermissions")
	return out
}
