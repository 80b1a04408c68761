package ecs

import (
	"context"
	"reflect"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

// Limits of services.
const (
	maxServices        = 10 // in one DescribeServices
	serviceListDefault = 10 // on a page of ListServices that names no size
	maxDesired         = 5000
)

func serviceNotFound() *fault.Fault { return fault.New(fault.ServiceNotFound, "Service not found.") }

func serviceNotActive() *fault.Fault {
	return fault.New(fault.ServiceNotActive, "Service was not ACTIVE.")
}

// findService finds a service of a cluster by name or ARN, those INACTIVE included.
func findService(r store.Reader, c *cluster.Cluster, ref string) (*service.Service, error) {
	key, err := serviceARN(c, ref)
	if err != nil {
		return nil, err
	}
	s, ok := store.Services.Get(r, key)
	if !ok {
		return nil, serviceNotFound()
	}
	return s, nil
}

// serviceARN is the ARN that a name or ARN of a service means in a cluster. An ARN
// without the cluster's name, the old short form, is understood.
func serviceARN(c *cluster.Cluster, ref string) (string, error) {
	if !arn.IsARN(ref) {
		return c.Scope.Service(c.Name, ref), nil
	}
	a, err := arn.Parse(ref)
	if err != nil || a.Service != "ecs" || a.Kind() != "service" {
		return "", invalid("Invalid identifier: Unexpected resource '%s'.", ref)
	}
	if path := a.Path(); len(path) == 2 && path[0] != c.Name {
		return "", invalid("Identifier is for %s. Your cluster is %s", path[0], c.Name)
	}
	return c.Scope.Service(c.Name, a.Name()), nil
}

func (a *API) createService(ctx context.Context, call *gateway.Call, in *ecs.CreateServiceRequest) (*ecs.CreateServiceResponse, error) {
	if err := checkServiceName(member.Value(in.ServiceName)); err != nil {
		return nil, err
	}
	if err := checkServiceToken(in.ClientToken); err != nil {
		return nil, err
	}
	if err := a.checkTargets(in.DeploymentConfiguration); err != nil {
		return nil, err
	}
	var made *service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := activeCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		next, err := readService(tx, call, c, in)
		if err == nil {
			err = a.announce(tx, call, next)
		}
		if err != nil {
			return err
		}
		if err := a.checkBalancers(ctx, tx, next); err != nil {
			return err
		}
		have, ok := store.Services.Get(tx, next.ARN)
		switch {
		case ok && draining(tx, have):
			return invalid("Unable to Start a service that is still Draining.").WithHint("wait until the service is INACTIVE: aws ecs wait services-inactive")
		case ok && have.Status == service.Active:
			if !sameService(have, next) {
				return invalid("Creation of service was not idempotent.").WithHint("service %s exists with other parameters; use UpdateService", next.Name)
			}
			made = have
			return nil
		case ok:
			next.Sequence = have.Sequence // its events go on, those before stay
		}
		made = next
		switch next.Spec.Controller {
		case service.ControllerECS:
			a.begin(tx, call, next)
		case service.ControllerCodeDeploy:
			first := &service.TaskSet{Scale: wholeService, Deployment: service.Deployment{Status: service.Primary}}
			a.putTaskSet(tx, call, next, first, &next.Spec.Template)
		}
		store.Services.Put(tx, next)
		return store.EnsureLinkedRole(tx, call.Scope, linked.ECS, call.Now)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateServiceResponse{Service: showService(v, made, []ecs.ServiceField{ecs.ServiceFieldTags})}, nil
}

// draining tells whether a service that was deleted still has something, so that its
// name is not free yet.
func draining(r store.Reader, s *service.Service) bool {
	return s.Status == service.Draining || s.Status == service.Inactive && express.Remains(r, s.ARN)
}

// sameService tells whether a repeated CreateService asks for what is there.
func sameService(have, next *service.Service) bool {
	a, b := have.Spec, next.Spec
	a.Revision, b.Revision = "", ""
	if a.Controller == service.ControllerExternal {
		b.Template = a.Template // its primary task set's
	}
	if a.Scheduling == service.Daemon {
		b.Desired = a.Desired
	}
	return reflect.DeepEqual(a, b)
}

// begin makes a revision of what the service asks for now, and moves it there.
func (a *API) begin(tx *store.Tx, call *gateway.Call, s *service.Service) {
	rollout.Begin(tx, s, a.newID, call.Now)
}

// number is a fresh decimal number of 19 digits, as ids of deployments have.
func (a *API) number() string { return arn.Number(a.newID()) }

func (a *API) deleteService(ctx context.Context, call *gateway.Call, in *ecs.DeleteServiceRequest) (*ecs.DeleteServiceResponse, error) {
	var next service.Service
	v, err := a.store.Update(ctx, func(tx *store.Tx) error {
		c, err := findCluster(tx, call.Scope, in.Cluster)
		if err != nil {
			return err
		}
		have, err := findService(tx, c, member.Value(in.Service))
		if err != nil {
			return err
		}
		next = *have
		switch have.Status {
		case service.Inactive:
			return serviceNotFound()
		case service.Draining:
			return nil
		}
		if err := checkDeletable(have, member.Value(in.Force)); err != nil {
			return err
		}
		next.Status, next.Spec.Desired = service.Draining, 0
		next.Version++
		store.Services.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteServiceResponse{Service: showService(v, &next, []ecs.ServiceField{ecs.ServiceFieldTags})}, nil
}

func checkDeletable(s *service.Service, force bool) error {
	if force || s.Spec.Scheduling == service.Daemon || s.Spec.Desired == 0 {
		return nil
	}
	return invalid("The service cannot be stopped while the primary deployment is scaled above 0.").
		WithHint("set desiredCount to 0 first, or delete with force")
}

func (a *API) describeServices(_ context.Context, call *gateway.Call, in *ecs.DescribeServicesRequest) (*ecs.DescribeServicesResponse, error) {
	switch n := len(in.Services); {
	case n == 0:
		return nil, invalid("Services cannot be empty.")
	case n > maxServices:
		return nil, invalid("services can have at most %d items.", maxServices)
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeServicesResponse{Services: []ecs.Service{}, Failures: []ecs.Failure{}}
	for _, ref := range in.Services {
		key, err := serviceARN(c, ref)
		if err != nil {
			return nil, err
		}
		if s, ok := store.Services.Get(v, key); ok {
			out.Services = append(out.Services, *showService(v, s, in.Include))
			continue
		}
		out.Failures = append(out.Failures, failure(key, reasonMissing, ""))
	}
	return out, nil
}

func (a *API) listServices(_ context.Context, call *gateway.Call, in *ecs.ListServicesRequest) (*ecs.ListServicesResponse, error) {
	page, err := readPage(in.NextToken, orSize(in.MaxResults, serviceListDefault))
	if err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := findCluster(v, call.Scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	following := filter(store.Services.By(v, store.ServicesByCluster, c.ARN), func(s *service.Service) bool {
		return s.ARN > page.after.Key && s.Status != service.Inactive &&
			(in.LaunchType == "" || launchTypeOf(s) == in.LaunchType) &&
			(in.SchedulingStrategy == "" || string(s.Spec.Scheduling) == string(in.SchedulingStrategy)) &&
			(in.ResourceManagementType == "" || managedBy(s) == in.ResourceManagementType)
	})
	found, next := fill(page, following, func(s *service.Service) cursor { return cursor{Key: s.ARN} })
	return &ecs.ListServicesResponse{ServiceArns: member.Each(found, func(s **service.Service) string { return (*s).ARN }), NextToken: next}, nil
}

// orSize is a page's size, or the operation's own default.
func orSize(size *int32, otherwise int32) *int32 {
	if size == nil {
		return &otherwise
	}
	return size
}

// launchTypeOf is where the tasks of a service run, named or by its strategy.
func launchTypeOf(s *service.Service) ecs.LaunchType {
	if t := s.Spec.Template; len(t.Providers) > 0 {
		return ecs.LaunchType(cluster.LaunchTypeOf(t.Providers[0].Provider))
	}
	return ecs.LaunchType(s.Spec.Template.LaunchType)
}

func managedBy(s *service.Service) ecs.ResourceManagementType {
	if s.Spec.ManagedBy != "" {
		return ecs.ResourceManagementType(s.Spec.ManagedBy)
	}
	return ecs.ResourceManagementTypeCustomer
}
