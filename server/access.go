package server

import (
	"context"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/store"
)

// Principals of the services that become roles.
const (
	tasksPrincipal  = "ecs-tasks.amazonaws.com"
	eventsPrincipal = "events.amazonaws.com"
	ecsPrincipal    = "ecs.amazonaws.com"
)

// newAccess makes what decides about every request.
func (s *Server) newAccess() *access.Access {
	return access.New(access.Config{Store: s.store, Resources: resources{s.store, s.archive}, Seal: s.messages.Seal, Observe: s.observe})
}

// may tells why a session of an agent may not be; dispatch asks.
func (s *Server) may(ctx context.Context, who identity.Principal, action string, i *cluster.Instance) error {
	caller := access.Caller{Principal: who, Temporary: who.Kind == identity.AssumedRole, Region: i.Scope.Region, Secure: s.secure(), Now: s.Now()}
	return s.access.Check(ctx, caller, action, []string{i.ARN}, map[string][]string{"ecs:cluster": {i.ClusterARN}})
}

// assume finds a role that tasks may become.
func (s *Server) assume(r store.Reader, roleARN, source string) (*identity.Role, error) {
	return s.access.Trusts(r, roleARN, tasksPrincipal, source)
}

// assumeForRule finds a role that EventBridge may become.
func (s *Server) assumeForRule(roleARN, ruleARN string) (*identity.Role, error) {
	return s.access.Trusts(s.store.View(), roleARN, eventsPrincipal, ruleARN)
}

// leads says why ECS may not change a rule or listener by a role.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
func (s *Server) leads(ctx context.Context, r store.Reader, roleARN, service, rule string) error {
	ecs, err := s.asRole(r, roleARN, service, "ecs-service-scheduler")
	if err != nil {
		return err
	}
	of, err := arn.Parse(rule)
	if err != nil {
		return err
	}
	action := "elasticloadbalancing:ModifyRule"
	if of.Kind() == "listener" {
		action = "elasticloadbalancing:ModifyListener"
	}
	return s.access.Check(ctx, ecs, action, []string{rule}, nil)
}

// asRole is ECS as an infrastructure role that it becomes for a resource, which is named
// by its ARN.
func (s *Server) asRole(r store.Reader, roleARN, source, session string) (access.Caller, error) {
	role, err := s.access.Trusts(r, roleARN, ecsPrincipal, source)
	if err != nil {
		return access.Caller{}, err
	}
	of, err := arn.Parse(source)
	if err != nil {
		return access.Caller{}, err
	}
	return access.Caller{Principal: identity.SessionOf(role, session), Temporary: true, Region: of.Region, Secure: s.secure(), Now: s.Now()}, nil
}

// authorised answers a call of ECS that is made on behalf of a role if the role may.
// The account's own is not asked.
func (s *Server) authorised(handler gateway.Handler) gateway.Handler {
	return func(ctx context.Context, call *gateway.Call, in any) (any, error) {
		if call.Principal.Kind == identity.Root {
			return handler(ctx, call, in)
		}
		return s.gateway.Do(ctx, call, in)
	}
}

// images decides for the registry: by the key that asked for a token, as it is now.
type images struct {
	store  store.Store
	access *access.Access
	now    func() time.Time
}

// Allow implements registry.Access.
func (i images) Allow(ctx context.Context, grant registry.Grant, action, resource string) error {
	key, ok := store.AccessKeys.Get(i.store.View(), grant.AccessKeyID)
	if !ok {
		return fault.New(fault.AccessDenied, "The access key of this token does not exist any more.")
	}
	who := access.CallerWith(key, i.now())
	if a, err := arn.Parse(resource); err == nil {
		who.Region = a.Region
	}
	return i.access.Check(ctx, who, action, []string{resource}, nil)
}

// resources are those of every service, for decisions: their policies and tags.
type resources struct {
	store  store.Store
	groups groups
}

// Policy implements access.Resources.
func (r resources) Policy(resource string) (document, owner string, ok bool) {
	a, err := arn.Parse(resource)
	if err != nil {
		return "", "", false
	}
	v := r.store.View()
	switch a.Service {
	case "ecr":
		if found, ok := store.Repositories.Get(v, resource); ok {
			return found.Policy, found.Scope.Account, true
		}
	case "secretsmanager", "kms":
		document, ok = store.ResourcePolicy(v, resource)
		return document, a.Account, ok
	case "s3":
		name, _, _ := strings.Cut(a.Resource, "/")
		if found, ok := store.Buckets.Get(v, name); ok {
			return found.Policy, found.Scope.Account, true
		}
	}
	return "", "", false
}
