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
