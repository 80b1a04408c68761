package ground_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/store"
)

// nlb puts a Network balancer into the store, as making it does.
func (h *house) nlb(name string) string {
	id := gatewaytest.Scope.Of("elasticloadbalancing", "loadbalancer/net/"+name+"/0123456789abcdef")
	h.Put(h.t, func(tx *store.Tx) {
		store.Balancers.Put(tx, &balancer.Balancer{Scope: gatewaytest.Scope, ARN: id, Name: name, Kind: balancer.Network})
	})
	return id
}

func (h *house) readService(id *string) types.ServiceConfiguration {
	h.t.Helper()
	return done[*ec2.DescribeVpcEndpointServiceConfigurationsOutput](h.t)(h.DescribeVpcEndpointServiceConfigurations(background, &ec2.DescribeVpcEndpointServiceConfigurationsInput{
		ServiceIds: []string{*id},
	})).ServiceConfigurations[0]
}

// What Terraform's aws_vpc_endpoint_service does.
func TestEndpointServiceLives(t *testing.T) {
	h := open(t)
	first, second := h.nlb("first"), h.nlb("second")
	made := done[*ec2.CreateVpcEndpointServiceConfigurationOutput](t)(h.CreateVpcEndpointServiceConfiguration(background, &ec2.CreateVpcEndpointServiceConfigurationInput{
		NetworkLoadBalancerArns: []string{first}, AcceptanceRequired: new(true), TagSpecifications: tagged(types.ResourceTypeVpcEndpointService, "a", "1", "gone", "1"),
	})).ServiceConfiguration
	id := made.ServiceId
	want := types.ServiceConfiguration{
		ServiceId: id, ServiceName: new("com.amazonaws.vpce.eu-central-1." + *id), ServiceState: types.ServiceStateAvailable, AcceptanceRequired: new(true),
		ManagesVpcEndpoints: new(false), NetworkLoadBalancerArns: []string{first}, AvailabilityZones: []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		BaseEndpointDnsNames: []string{*id + ".eu-central-1.vpce.amazonaws.com"}, ServiceType: []types.ServiceTypeDetail{{ServiceType: types.ServiceTypeInterface}},
		SupportedIpAddressTypes: []types.ServiceConnectivityType{types.ServiceConnectivityTypeIpv4}, Tags: tags("a", "1", "gone", "1"),
	}
	equal(t, "made", *made, want)
	equal(t, "read", h.readService(id), want)
	h.retag(id)
	done[*ec2.ModifyVpcEndpointServiceConfigurationOutput](t)(h.ModifyVpcEndpointServiceConfiguration(background, &ec2.ModifyVpcEndpointServiceConfigurationInput{
		ServiceId: id, AcceptanceRequired: new(false), AddNetworkLoadBalancerArns: []string{second}, RemoveNetworkLoadBalancerArns: []string{first},
	}))
	want.AcceptanceRequired, want.NetworkLoadBalancerArns, want.Tags = new(false), []string{second}, tags("a", "2")
	equal(t, "changed", h.readService(id), want)
	h.principals(id)
	h.connections(id, want.ServiceName)
	done[*ec2.DeleteVpcEndpointServiceConfigurationsOutput](t)(h.DeleteVpcEndpointServiceConfigurations(background, &ec2.DeleteVpcEndpointServiceConfigurationsInput{ServiceIds: []string{*id}}))
	_, err := h.DescribeVpcEndpointServiceConfigurations(background, &ec2.DescribeVpcEndpointServiceConfigurationsInput{ServiceIds: []string{*id}})
	refused(t, err, "InvalidVpcEndpointServiceId.NotFound", *id)
}

// principals are allowed and disallowed, as Terraform's
// aws_vpc_endpoint_service_allowed_principal does.
func (h *house) principals(id *string) {
	h.t.Helper()
	role, all := "arn:aws:iam::210987654321:role/app", "*"
	done[*ec2.ModifyVpcEndpointServicePermissionsOutput](h.t)(h.ModifyVpcEndpointServicePermissions(background, &ec2.ModifyVpcEndpointServicePermissionsInput{ServiceId: id, AddAllowedPrincipals: []string{role, all}}))
	read := func(filters ...types.Filter) []types.AllowedPrincipal {
		h.t.Helper()
		return done[*ec2.DescribeVpcEndpointServicePermissionsOutput](h.t)(h.DescribeVpcEndpointServicePermissions(background, &ec2.DescribeVpcEndpointServicePermissionsInput{ServiceId: id, Filters: filters})).AllowedPrincipals
	}
	allowed := read()
	equal(h.t, "allowed", allowed, []types.AllowedPrincipal{
		{Principal: &all, PrincipalType: types.PrincipalTypeAll, ServiceId: id, ServicePermissionId: allowed[0].ServicePermissionId},
		{Principal: &role, PrincipalType: types.PrincipalTypeRole, ServiceId: id, ServicePermissionId: allowed[1].ServicePermissionId},
	})
	equal(h.t, "roles", read(filter("principal-type", "Role")), allowed[1:])
	done[*ec2.ModifyVpcEndpointServicePermissionsOutput](h.t)(h.ModifyVpcEndpointServicePermissions(background, &ec2.ModifyVpcEndpointServicePermissionsInput{ServiceId: id, RemoveAllowedPrincipals: []string{role}}))
	equal(h.t, "left", read(), allowed[:1])
}

// connections are rejected and accepted.
func (h *house) connections(id, name *string) {
	h.t.Helper()
	vpc := h.vpc()
	e := done[*ec2.CreateVpcEndpointOutput](h.t)(h.CreateVpcEndpoint(background, &ec2.CreateVpcEndpointInput{VpcId: vpc, ServiceName: name, VpcEndpointType: types.VpcEndpointTypeInterface})).VpcEndpoint
	read := func() types.VpcEndpointConnection {
		h.t.Helper()
		return done[*ec2.DescribeVpcEndpointConnectionsOutput](h.t)(h.DescribeVpcEndpointConnections(background, &ec2.DescribeVpcEndpointConnectionsInput{Filters: []types.Filter{filter("service-id", *id)}})).VpcEndpointConnections[0]
	}
	first := read()
	equal(h.t, "connected", first, types.VpcEndpointConnection{
		ServiceId: id, VpcEndpointId: e.VpcEndpointId, VpcEndpointOwner: &account, VpcEndpointState: "available", CreationTimestamp: e.CreationTimestamp,
		IpAddressType: types.IpAddressTypeIpv4, VpcEndpointRegion: new("eu-central-1"), VpcEndpointConnectionId: first.VpcEndpointConnectionId,
	})
	failed := done[*ec2.DeleteVpcEndpointServiceConfigurationsOutput](h.t)(h.DeleteVpcEndpointServiceConfigurations(background, &ec2.DeleteVpcEndpointServiceConfigurationsInput{ServiceIds: []string{*id}})).Unsuccessful
	equal(h.t, "not deleted", *failed[0].Error.Code, "ExistingVpcEndpointConnections")
	ids := []string{*e.VpcEndpointId}
	done[*ec2.RejectVpcEndpointConnectionsOutput](h.t)(h.RejectVpcEndpointConnections(background, &ec2.RejectVpcEndpointConnectionsInput{ServiceId: id, VpcEndpointIds: ids}))
	equal(h.t, "rejected", read().VpcEndpointState, "rejected")
	done[*ec2.AcceptVpcEndpointConnectionsOutput](h.t)(h.AcceptVpcEndpointConnections(background, &ec2.AcceptVpcEndpointConnectionsInput{ServiceId: id, VpcEndpointIds: ids}))
	equal(h.t, "accepted", h.readEndpoint(e.VpcEndpointId).State, "available")
	h.endpointEnds(e.VpcEndpointId)
}
