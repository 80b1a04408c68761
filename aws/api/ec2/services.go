package ec2

import (
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/ec2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// amazonsService is a service of AWS that endpoints join.
type amazonsService struct {
	name  string
	kinds []string
}

// amazonsServices are those that berth answers for.
func amazonsServices(region string) []amazonsService {
	gatewayed, plain := []string{"Gateway", "Interface"}, []string{"Interface"}
	services := []amazonsService{{serviceName(region, "s3"), gatewayed}, {serviceName(region, "dynamodb"), gatewayed}}
	for _, name := range []string{
		"ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "ec2", "elasticloadbalancing", "events", "kms", "logs", "monitoring",
		"secretsmanager", "servicediscovery", "ssm", "ssmmessages", "sts", "application-autoscaling", "autoscaling", "elasticfilesystem",
	} {
		services = append(services, amazonsService{serviceName(region, name), plain})
	}
	return services
}

// serviceDomain is where names of endpoints are: the parts of the service's name in
// the opposite order.
func serviceDomain(name, region string) string {
	if service, ok := strings.CutPrefix(name, "com.amazonaws."+region+"."); ok {
		return service + "." + region + ".vpce.amazonaws.com"
	}
	return name[strings.LastIndex(name, ".")+1:] + "." + region + ".vpce.amazonaws.com"
}

type service = network.EndpointService

var serviceKind = kind[service]{
	noun: "Vpc Endpoint Service", missing: fault.InvalidVpcEndpointServiceID,
	id:   func(s *service) string { return s.ID },
	tags: func(s *service) []workload.Tag { return s.Tags },
	fields: map[string]func(*service) []string{
		"service-id":    one(func(s *service) string { return s.ID }),
		"service-name":  one(func(s *service) string { return s.Name }),
		"service-state": always[service]("Available"),
	},
}

// admits tells whether an account may make endpoints of a service.
func admits(s *service, account string) bool {
	return s.Scope.Account == account || slices.ContainsFunc(s.Principals, func(p string) bool { return p == "*" || strings.Contains(p, ":"+account+":") })
}

func (a *API) describeVPCEndpointServices(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointServicesRequest) (*shape.DescribeVpcEndpointServicesResult, error) {
	details := []*shape.ServiceDetail{}
	for _, s := range amazonsServices(call.Scope.Region) {
		details = append(details, amazonsDetail(call.Scope.Region, s))
	}
	for s := range store.EndpointServices.All(v) {
		if s.Scope.Region == call.Scope.Region && admits(s, call.Scope.Account) {
			details = append(details, ownDetail(s))
		}
	}
	for _, name := range in.ServiceNames {
		if !slices.ContainsFunc(details, func(d *shape.ServiceDetail) bool { return *d.ServiceName == name }) {
			return nil, fault.New(fault.InvalidServiceName, "The Vpc Endpoint Service '%s' does not exist", name)
		}
	}
	filters := in.Filters
	if len(in.ServiceNames) > 0 {
		filters = append([]shape.Filter{{Name: new("service-name"), Values: in.ServiceNames}}, filters...)
	}
	page, next, err := derived(&detailKind, details, selection{nil, filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointServicesResult{
		NextToken: next, ServiceNames: texts(page, func(d *shape.ServiceDetail) string { return *d.ServiceName }),
		ServiceDetails: each(page, func(d *shape.ServiceDetail) shape.ServiceDetail { return *d }),
	}, nil
}

var detailKind = kind[shape.ServiceDetail]{
	noun: "Vpc Endpoint Service", missing: fault.InvalidServiceName,
	id: func(d *shape.ServiceDetail) string { return *d.ServiceName },
	fields: map[string]func(*shape.ServiceDetail) []string{
		"owner":        one(func(d *shape.ServiceDetail) string { return *d.Owner }),
		"service-name": one(func(d *shape.ServiceDetail) string { return *d.ServiceName }),
		"service-type": func(d *shape.ServiceDetail) []string {
			return texts(d.ServiceType, func(t shape.ServiceTypeDetail) string { return string(t.ServiceType) })
		},
		"service-region": one(func(d *shape.ServiceDetail) string { return *d.ServiceRegion }),
	},
}

func amazonsDetail(region string, s amazonsService) *shape.ServiceDetail {
	short := strings.TrimPrefix(s.name, serviceName(region, ""))
	d := &shape.ServiceDetail{
		ServiceName: new(s.name), ServiceId: new(network.DerivedID("vpce-svc", s.name)), ServiceRegion: new(region), Owner: new("amazon"),
		AvailabilityZones: network.Zones(region), BaseEndpointDnsNames: []string{serviceDomain(s.name, region)}, PrivateDnsName: new(short + "." + region + ".amazonaws.com"),
		VpcEndpointPolicySupported: new(true), AcceptanceRequired: new(false), ManagesVpcEndpoints: new(false), SupportedIpAddressTypes: []shape.ServiceConnectivityType{shape.ServiceConnectivityTypeIpv4},
	}
	for _, k := range s.kinds {
		d.ServiceType = append(d.ServiceType, shape.ServiceTypeDetail{ServiceType: shape.ServiceType(k)})
	}
	return d
}

func ownDetail(s *service) *shape.ServiceDetail {
	return &shape.ServiceDetail{
		ServiceName: new(s.Name), ServiceId: new(s.ID), ServiceRegion: new(s.Scope.Region), Owner: new(s.Scope.Account), AvailabilityZones: network.Zones(s.Scope.Region),
		BaseEndpointDnsNames: []string{serviceDomain(s.Name, s.Scope.Region)}, PrivateDnsName: optional(s.PrivateDNSName), VpcEndpointPolicySupported: new(false),
		AcceptanceRequired: new(s.MustAccept), ManagesVpcEndpoints: new(false), ServiceType: []shape.ServiceTypeDetail{{ServiceType: shape.ServiceTypeInterface}},
		SupportedIpAddressTypes: []shape.ServiceConnectivityType{shape.ServiceConnectivityTypeIpv4}, Tags: tagShapes(s.Tags),
	}
}

func configurationShape(s *service) shape.ServiceConfiguration {
	return shape.ServiceConfiguration{
		ServiceId: new(s.ID), ServiceName: new(s.Name), ServiceState: shape.ServiceStateAvailable, AcceptanceRequired: new(s.MustAccept), ManagesVpcEndpoints: new(false),
		ServiceType: []shape.ServiceTypeDetail{{ServiceType: shape.ServiceTypeInterface}}, AvailabilityZones: network.Zones(s.Scope.Region),
		NetworkLoadBalancerArns: s.Balancers, BaseEndpointDnsNames: []string{serviceDomain(s.Name, s.Scope.Region)}, PrivateDnsName: optional(s.PrivateDNSName),
		SupportedIpAddressTypes: []shape.ServiceConnectivityType{shape.ServiceConnectivityTypeIpv4}, Tags: tagShapes(s.Tags),
	}
}

func (a *API) describeServiceConfigurations(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointServiceConfigurationsRequest) (*shape.DescribeVpcEndpointServiceConfigurationsResult, error) {
	page, next, err := stored(&serviceKind, store.EndpointServices, v, call.Scope, selection{in.ServiceIds, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointServiceConfigurationsResult{ServiceConfigurations: each(page, configurationShape), NextToken: next}, nil
}

func (a *API) createServiceConfiguration(tx *store.Tx, call *gateway.Call, in *shape.CreateVpcEndpointServiceConfigurationRequest) (*shape.CreateVpcEndpointServiceConfigurationResult, error) {
	if err := unsupported("Endpoint services of Gateway Load Balancers, and other regions", len(in.GatewayLoadBalancerArns) > 0, len(in.SupportedRegions) > 0); err != nil {
		return nil, err
	}
	tags, err := specified(in.TagSpecifications, shape.ResourceTypeVpcEndpointService)
	if err != nil {
		return nil, err
	}
	s := service{Scope: call.Scope, ID: newID("vpce-svc"), MustAccept: in.AcceptanceRequired == nil || *in.AcceptanceRequired, PrivateDNSName: deref(in.PrivateDnsName), CreatedAt: call.Now, Tags: tags}
	s.Name = "com.amazonaws.vpce." + call.Scope.Region + "." + s.ID
	if err := offerBalancers(tx, &s, in.NetworkLoadBalancerArns); err != nil {
		return nil, err
	}
	store.EndpointServices.Put(tx, &s)
	return &shape.CreateVpcEndpointServiceConfigurationResult{ServiceConfiguration: new(configurationShape(&s)), ClientToken: in.ClientToken}, nil
}

func offerBalancers(r store.Reader, s *service, arns []string) error {
	for _, id := range arns {
		if b, ok := store.Balancers.Get(r, id); !ok || b.Scope.Account != s.Scope.Account {
			return invalid("The Network Load Balancer '%s' does not exist", id)
		}
	}
	s.Balancers = append(without(s.Balancers, arns), arns...)
	if len(s.Balancers) == 0 {
		return invalid("An endpoint service needs at least one Network Load Balancer.")
	}
	return nil
}

func alterService(tx *store.Tx, scope arn.Scope, id *string, fn func(*service) error) error {
	have, err := find(&serviceKind, store.EndpointServices, tx, scope, id)
	if err != nil {
		return err
	}
	next := *have
	if err := fn(&next); err != nil {
		return err
	}
	store.EndpointServices.Put(tx, &next)
	return nil
}

func (a *API) modifyServiceConfiguration(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcEndpointServiceConfigurationRequest) (*shape.ModifyVpcEndpointServiceConfigurationResult, error) {
	return &shape.ModifyVpcEndpointServiceConfigurationResult{Return: new(true)}, alterService(tx, call.Scope, in.ServiceId, func(s *service) error {
		setTo(&s.MustAccept, in.AcceptanceRequired)
		if in.PrivateDnsName != nil {
			s.PrivateDNSName = *in.PrivateDnsName
		}
		if isTrue(in.RemovePrivateDnsName) {
			s.PrivateDNSName = ""
		}
		s.Balancers = without(s.Balancers, in.RemoveNetworkLoadBalancerArns)
		return offerBalancers(tx, s, in.AddNetworkLoadBalancerArns)
	})
}

func (a *API) deleteServiceConfigurations(tx *store.Tx, call *gateway.Call, in *shape.DeleteVpcEndpointServiceConfigurationsRequest) (*shape.DeleteVpcEndpointServiceConfigurationsResult, error) {
	out := &shape.DeleteVpcEndpointServiceConfigurationsResult{Unsuccessful: []shape.UnsuccessfulItem{}}
	for _, id := range in.ServiceIds {
		s, err := find(&serviceKind, store.EndpointServices, tx, call.Scope, &id)
		for e := range connections(tx, s) {
			if e.State != endpointRejected {
				err = fault.New(fault.ExistingVpcEndpoints, "Service has existing active VPC Endpoint connections!")
			}
		}
		if err != nil {
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
			continue
		}
		store.EndpointServices.Delete(tx, network.Key(s.Scope, s.ID))
	}
	return out, nil
}

// connections are the endpoints of a service; none of nil.
func connections(r store.Reader, s *service) func(func(*endpoint) bool) {
	if s == nil {
		return func(func(*endpoint) bool) {}
	}
	return store.Endpoints.By(r, store.EndpointsByService, s.Name)
}

func (a *API) describeServicePermissions(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointServicePermissionsRequest) (*shape.DescribeVpcEndpointServicePermissionsResult, error) {
	s, err := find(&serviceKind, store.EndpointServices, v, call.Scope, in.ServiceId)
	if err != nil {
		return nil, err
	}
	var all []*shape.AllowedPrincipal
	for _, p := range s.Principals {
		all = append(all, &shape.AllowedPrincipal{
			Principal: new(p), PrincipalType: principalType(p), ServiceId: new(s.ID), ServicePermissionId: new(network.DerivedID("vpce-svc-perm", s.ID, p)),
		})
	}
	page, next, err := derived(&principalKind, all, selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointServicePermissionsResult{
		NextToken: next, AllowedPrincipals: each(page, func(p *shape.AllowedPrincipal) shape.AllowedPrincipal { return *p }),
	}, nil
}

var principalKind = kind[shape.AllowedPrincipal]{
	id: func(p *shape.AllowedPrincipal) string { return *p.Principal },
	fields: map[string]func(*shape.AllowedPrincipal) []string{
		"principal":      one(func(p *shape.AllowedPrincipal) string { return *p.Principal }),
		"principal-type": one(func(p *shape.AllowedPrincipal) string { return string(p.PrincipalType) }),
	},
}

func principalType(p string) shape.PrincipalType {
	switch {
	case p == "*":
		return shape.PrincipalTypeAll
	case strings.Contains(p, ":role/"):
		return shape.PrincipalTypeRole
	case strings.Contains(p, ":user/"):
		return shape.PrincipalTypeUser
	}
	return shape.PrincipalTypeAccount
}

func (a *API) modifyServicePermissions(tx *store.Tx, call *gateway.Call, in *shape.ModifyVpcEndpointServicePermissionsRequest) (*shape.ModifyVpcEndpointServicePermissionsResult, error) {
	out := &shape.ModifyVpcEndpointServicePermissionsResult{ReturnValue: new(true), AddedPrincipals: []shape.AddedPrincipal{}}
	return out, alterService(tx, call.Scope, in.ServiceId, func(s *service) error {
		s.Principals = append(without(s.Principals, append(in.RemoveAllowedPrincipals, in.AddAllowedPrincipals...)), in.AddAllowedPrincipals...)
		for _, p := range in.AddAllowedPrincipals {
			out.AddedPrincipals = append(out.AddedPrincipals, shape.AddedPrincipal{
				Principal: new(p), PrincipalType: principalType(p), ServiceId: new(s.ID), ServicePermissionId: new(network.DerivedID("vpce-svc-perm", s.ID, p)),
			})
		}
		return nil
	})
}

func (a *API) describeEndpointConnections(v *store.View, call *gateway.Call, in *shape.DescribeVpcEndpointConnectionsRequest) (*shape.DescribeVpcEndpointConnectionsResult, error) {
	var all []*endpoint
	ids := map[string]string{}
	for s := range store.EndpointServices.Prefix(v, network.Key(call.Scope, "")) {
		ids[s.Name] = s.ID
		for e := range connections(v, s) {
			all = append(all, e)
		}
	}
	k := endpointKind
	k.fields = map[string]func(*endpoint) []string{"service-id": one(func(e *endpoint) string { return ids[e.ServiceName] })}
	for name, field := range endpointKind.fields {
		k.fields[name] = field
	}
	page, next, err := derived(&k, all, selection{nil, in.Filters, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &shape.DescribeVpcEndpointConnectionsResult{NextToken: next, VpcEndpointConnections: each(page, func(e *endpoint) shape.VpcEndpointConnection {
		return shape.VpcEndpointConnection{
			ServiceId: new(ids[e.ServiceName]), VpcEndpointId: new(e.ID), VpcEndpointOwner: new(e.Scope.Account), VpcEndpointState: shape.State(e.State),
			CreationTimestamp: new(e.CreatedAt), IpAddressType: shape.IpAddressType(e.AddressType), VpcEndpointRegion: new(e.Scope.Region),
			VpcEndpointConnectionId: new(network.DerivedID("vpce-con", e.ID)),
		}
	})}, nil
}

func (a *API) acceptConnections(tx *store.Tx, call *gateway.Call, in *shape.AcceptVpcEndpointConnectionsRequest) (*shape.AcceptVpcEndpointConnectionsResult, error) {
	failed, err := judge(tx, call.Scope, in.ServiceId, in.VpcEndpointIds, endpointAvailable)
	return &shape.AcceptVpcEndpointConnectionsResult{Unsuccessful: failed}, err
}

func (a *API) rejectConnections(tx *store.Tx, call *gateway.Call, in *shape.RejectVpcEndpointConnectionsRequest) (*shape.RejectVpcEndpointConnectionsResult, error) {
	failed, err := judge(tx, call.Scope, in.ServiceId, in.VpcEndpointIds, endpointRejected)
	return &shape.RejectVpcEndpointConnectionsResult{Unsuccessful: failed}, err
}

// judge sets the state of endpoints of a service.
func judge(tx *store.Tx, scope arn.Scope, id *string, endpoints []string, state string) ([]shape.UnsuccessfulItem, error) {
	s, err := find(&serviceKind, store.EndpointServices, tx, scope, id)
	if err != nil {
		return nil, err
	}
	left := slices.Clone(endpoints)
	for e := range connections(tx, s) {
		if slices.Contains(endpoints, e.ID) {
			next := *e
			next.State = state
			store.Endpoints.Put(tx, &next)
			left = without(left, []string{e.ID})
		}
	}
	failed := []shape.UnsuccessfulItem{}
	for _, id := range left {
		failed = append(failed, unsuccessful(id, fault.New(fault.InvalidVpcEndpointID, "The Vpc Endpoint Id '%s' does not exist", id)))
	}
	return failed, nil
}
