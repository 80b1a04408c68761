package ec2

import "github.com/berthhq/berth/aws/gateway"

// Operations are what berth supports of EC2. Each answers dry runs.
func (a *API) Operations() map[string]gateway.Handler {
	all := map[string]gateway.Handler{}
	for _, part := range []map[string]gateway.Handler{a.places(), a.spaces(), a.roads(), a.guards(), a.doors(), a.absent()} {
		for name, handler := range part {
			all[name] = dry(handler)
		}
	}
	return all
}

// places are regions, instances and tags.
func (a *API) places() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"CreateTags":                change(a, a.createTags),
		"DeleteTags":                change(a, a.deleteTags),
		"DescribeAccountAttributes": gateway.Handle(a.describeAccountAttributes),
		"DescribeAvailabilityZones": gateway.Handle(a.describeAvailabilityZones),
		"DescribeInstances":         gateway.Handle(a.describeInstances),
		"DescribeRegions":           gateway.Handle(a.describeRegions),
		"DescribeTags":              gateway.Handle(a.describeTags),
	}
}

// spaces are VPCs, subnets and DHCP options.
func (a *API) spaces() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AssociateDhcpOptions":     change(a, a.associateDHCPOptions),
		"AssociateVpcCidrBlock":    change(a, a.associateVPCRange),
		"CreateDefaultSubnet":      change(a, a.createDefaultSubnet),
		"CreateDefaultVpc":         change(a, a.createDefaultVPC),
		"CreateDhcpOptions":        change(a, a.createDHCPOptions),
		"CreateSubnet":             change(a, a.createSubnet),
		"CreateVpc":                change(a, a.createVPC),
		"DeleteDhcpOptions":        change(a, a.deleteDHCPOptions),
		"DeleteSubnet":             change(a, a.deleteSubnet),
		"DeleteVpc":                change(a, a.deleteVPC),
		"DescribeDhcpOptions":      read(a, a.describeDHCPOptions),
		"DescribeSubnets":          gateway.Handle(a.describeSubnets),
		"DescribeVpcAttribute":     gateway.Handle(a.describeVPCAttribute),
		"DescribeVpcs":             gateway.Handle(a.describeVPCs),
		"DisassociateVpcCidrBlock": change(a, a.disassociateVPCRange),
		"ModifySubnetAttribute":    change(a, a.modifySubnetAttribute),
		"ModifyVpcAttribute":       change(a, a.modifyVPCAttribute),
		"ModifyVpcTenancy":         change(a, a.modifyVPCTenancy),
	}
}

// roads are routes, gateways and public addresses.
func (a *API) roads() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AcceptVpcPeeringConnection":         change(a, a.acceptPeering),
		"AllocateAddress":                    change(a, a.allocateAddress),
		"AssociateAddress":                   change(a, a.associateAddress),
		"AssociateNatGatewayAddress":         change(a, a.associateNATAddress),
		"AssociateRouteTable":                change(a, a.associateRouteTable),
		"AttachInternetGateway":              change(a, a.attachInternetGateway),
		"CreateEgressOnlyInternetGateway":    change(a, a.createEgressOnlyInternetGateway),
		"CreateInternetGateway":              change(a, a.createInternetGateway),
		"CreateNatGateway":                   change(a, a.createNATGateway),
		"CreateRoute":                        change(a, a.createRoute),
		"CreateRouteTable":                   change(a, a.createRouteTable),
		"CreateVpcPeeringConnection":         change(a, a.createPeering),
		"DeleteEgressOnlyInternetGateway":    change(a, a.deleteEgressOnlyInternetGateway),
		"DeleteInternetGateway":              change(a, a.deleteInternetGateway),
		"DeleteNatGateway":                   change(a, a.deleteNATGateway),
		"DeleteRoute":                        change(a, a.deleteRoute),
		"DeleteRouteTable":                   change(a, a.deleteRouteTable),
		"DeleteVpcPeeringConnection":         change(a, a.deletePeering),
		"DescribeAddresses":                  read(a, a.describeAddresses),
		"DescribeAddressesAttribute":         read(a, a.describeAddressesAttribute),
		"DescribeEgressOnlyInternetGateways": read(a, a.describeEgressOnlyInternetGateways),
		"DescribeInternetGateways":           read(a, a.describeInternetGateways),
		"DescribeNatGateways":                read(a, a.describeNATGateways),
		"DescribeRouteTables":                read(a, a.describeRouteTables),
		"DescribeVpcPeeringConnections":      read(a, a.describePeerings),
		"DetachInternetGateway":              change(a, a.detachInternetGateway),
		"DisassociateAddress":                change(a, a.disassociateAddress),
		"DisassociateNatGatewayAddress":      change(a, a.disassociateNATAddress),
		"DisassociateRouteTable":             change(a, a.disassociateRouteTable),
		"ModifyAddressAttribute":             change(a, a.modifyAddressAttribute),
		"ModifyVpcPeeringConnectionOptions":  change(a, a.modifyPeeringOptions),
		"RejectVpcPeeringConnection":         change(a, a.rejectPeering),
		"ReleaseAddress":                     change(a, a.releaseAddress),
		"ReplaceRoute":                       change(a, a.replaceRoute),
		"ReplaceRouteTableAssociation":       change(a, a.replaceRouteTableAssociation),
		"ResetAddressAttribute":              change(a, a.resetAddressAttribute),
	}
}

// guards are security groups, ACLs and prefix lists.
func (a *API) guards() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AuthorizeSecurityGroupEgress":               change(a, a.authorizeEgress),
		"AuthorizeSecurityGroupIngress":              change(a, a.authorizeIngress),
		"CreateManagedPrefixList":                    change(a, a.createPrefixList),
		"CreateNetworkAcl":                           change(a, a.createNetworkACL),
		"CreateNetworkAclEntry":                      change(a, a.createACLEntry),
		"CreateSecurityGroup":                        change(a, a.createSecurityGroup),
		"DeleteManagedPrefixList":                    change(a, a.deletePrefixList),
		"DeleteNetworkAcl":                           change(a, a.deleteNetworkACL),
		"DeleteNetworkAclEntry":                      change(a, a.deleteACLEntry),
		"DeleteSecurityGroup":                        change(a, a.deleteSecurityGroup),
		"DescribeManagedPrefixLists":                 read(a, a.describeManagedPrefixLists),
		"DescribeNetworkAcls":                        read(a, a.describeNetworkACLs),
		"DescribePrefixLists":                        read(a, a.describePrefixLists),
		"DescribeSecurityGroupRules":                 gateway.Handle(a.describeSecurityGroupRules),
		"DescribeSecurityGroups":                     gateway.Handle(a.describeSecurityGroups),
		"GetManagedPrefixListEntries":                read(a, a.prefixListEntries),
		"GetSecurityGroupsForVpc":                    read(a, a.securityGroupsForVPC),
		"ModifyManagedPrefixList":                    change(a, a.modifyPrefixList),
		"ModifySecurityGroupRules":                   change(a, a.modifySecurityGroupRules),
		"ReplaceNetworkAclAssociation":               change(a, a.replaceACLAssociation),
		"ReplaceNetworkAclEntry":                     change(a, a.replaceACLEntry),
		"RevokeSecurityGroupEgress":                  change(a, a.revokeEgress),
		"RevokeSecurityGroupIngress":                 change(a, a.revokeIngress),
		"UpdateSecurityGroupRuleDescriptionsEgress":  change(a, a.describeEgress),
		"UpdateSecurityGroupRuleDescriptionsIngress": change(a, a.describeIngress),
	}
}

// doors are interfaces, endpoints and the services behind them.
func (a *API) doors() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AcceptVpcEndpointConnections":             change(a, a.acceptConnections),
		"AssignPrivateIpAddresses":                 change(a, a.assignPrivateAddresses),
		"AttachNetworkInterface":                   change(a, a.attachNetworkInterface),
		"CreateNetworkInterface":                   change(a, a.createNetworkInterface),
		"CreateVpcEndpoint":                        change(a, a.createVPCEndpoint),
		"CreateVpcEndpointServiceConfiguration":    change(a, a.createServiceConfiguration),
		"DeleteNetworkInterface":                   change(a, a.deleteNetworkInterface),
		"DeleteVpcEndpointServiceConfigurations":   change(a, a.deleteServiceConfigurations),
		"DeleteVpcEndpoints":                       change(a, a.deleteVPCEndpoints),
		"DescribeNetworkInterfaceAttribute":        read(a, a.describeNetworkInterfaceAttribute),
		"DescribeNetworkInterfaces":                gateway.Handle(a.describeNetworkInterfaces),
		"DescribeVpcEndpointConnections":           read(a, a.describeEndpointConnections),
		"DescribeVpcEndpointServiceConfigurations": read(a, a.describeServiceConfigurations),
		"DescribeVpcEndpointServicePermissions":    read(a, a.describeServicePermissions),
		"DescribeVpcEndpointServices":              read(a, a.describeVPCEndpointServices),
		"DescribeVpcEndpoints":                     read(a, a.describeVPCEndpoints),
		"DetachNetworkInterface":                   change(a, a.detachNetworkInterface),
		"ModifyNetworkInterfaceAttribute":          change(a, a.modifyNetworkInterfaceAttribute),
		"ModifyVpcEndpoint":                        change(a, a.modifyVPCEndpoint),
		"ModifyVpcEndpointServiceConfiguration":    change(a, a.modifyServiceConfiguration),
		"ModifyVpcEndpointServicePermissions":      change(a, a.modifyServicePermissions),
		"RejectVpcEndpointConnections":             change(a, a.rejectConnections),
		"ResetNetworkInterfaceAttribute":           change(a, a.resetNetworkInterfaceAttribute),
		"UnassignPrivateIpAddresses":               change(a, a.unassignPrivateAddresses),
	}
}
