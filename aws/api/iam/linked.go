package iam

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/store"
)

func (a *API) createServiceLinkedRole(ctx context.Context, call *gateway.Call, in *iam.CreateServiceLinkedRoleRequest) (*iam.CreateServiceLinkedRoleResponse, error) {
	service, suffix := *in.AWSServiceName, member.Value(in.CustomSuffix)
	known, suffixed := linked.Known(service)
	switch {
	case !known:
		return nil, invalid("Service Linked Role is not supported for service %s", service).WithHint("berth has no such service, or it needs no role")
	case suffix != "" && !suffixed:
		return nil, invalid("Custom suffix is not allowed for %s", service)
	}
	id, err := a.newID(identity.RoleID)
	if err != nil {
		return nil, err
	}
	role := linked.Role(linked.Wanted{Scope: call.Scope, Service: service, Suffix: suffix, Description: member.Value(in.Description), ID: id, Now: call.Now})
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := findRole(tx, call, role.Name); err == nil {
			return invalid("Service role name %s has been taken in this account, please try a different suffix.", role.Name)
		}
		store.Roles.Put(tx, &role)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := listedRole(&role)
	return &iam.CreateServiceLinkedRoleResponse{Role: &shown}, nil
}

// usersOfRole lists the ARNs of what a service does by its role.
func usersOfRole(r store.Reader, role *identity.Role) (using []string) {
	switch role.Service {
	case linked.ECS:
		for c := range store.Clusters.All(r) {
			if c.Scope.Account == role.Account && c.Status == cluster.Active {
				using = append(using, c.ARN)
			}
		}
	case linked.LoadBalancing:
		for b := range store.Balancers.All(r) {
			if b.Scope.Account == role.Account {
				using = append(using, b.ARN)
			}
		}
	}
	return using
}

// deleteServiceLinkedRole decides at once; what came of it is asked for by the id
// of the deletion, as on AWS, where it takes a while.
func (a *API) deleteServiceLinkedRole(ctx context.Context, call *gateway.Call, in *iam.DeleteServiceLinkedRoleRequest) (*iam.DeleteServiceLinkedRoleResponse, error) {
	d := &identity.RoleDeletion{Account: call.Scope.Account, At: call.Now}
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		role, err := findRole(tx, call, *in.RoleName)
		if err != nil {
			return err
		}
		if role.Service == "" {
			return invalid("Role %s is not a service-linked role.", role.Name).WithHint("aws iam delete-role deletes it")
		}
		tasks := "task" + role.Path + role.Name + "/"
		for old := range store.RoleDeletions.Prefix(tx, tasks) {
			if old.Account == role.Account {
				store.RoleDeletions.Delete(tx, old.ID) // one is enough to ask for
			}
		}
		d.ID, d.Using = tasks+a.uuid(), usersOfRole(tx, role)
		store.RoleDeletions.Put(tx, d)
		if len(d.Using) == 0 {
			store.Roles.Delete(tx, store.NameKey(role.Account, role.Name))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.DeleteServiceLinkedRoleResponse{DeletionTaskId: &d.ID}, nil
}

func (a *API) getServiceLinkedRoleDeletionStatus(_ context.Context, call *gateway.Call, in *iam.GetServiceLinkedRoleDeletionStatusRequest) (*iam.GetServiceLinkedRoleDeletionStatusResponse, error) {
	d, ok := store.RoleDeletions.Get(a.store.View(), *in.DeletionTaskId)
	switch {
	case !strings.HasPrefix(*in.DeletionTaskId, "task/"):
		return nil, invalid("Invalid deletion task id %s", *in.DeletionTaskId)
	case !ok || d.Account != call.Scope.Account:
		return nil, missing("Deletion task %s cannot be found.", *in.DeletionTaskId)
	case len(d.Using) == 0:
		return &iam.GetServiceLinkedRoleDeletionStatusResponse{Status: iam.DeletionTaskStatusTypeSucceeded}, nil
	}
	reason := &iam.DeletionTaskFailureReasonType{Reason: new("A service-linked role cannot be deleted while resources use it: delete them first."), RoleUsageList: byRegion(d.Using)}
	return &iam.GetServiceLinkedRoleDeletionStatusResponse{Status: iam.DeletionTaskStatusTypeFailed, Reason: reason}, nil
}

// byRegion gathers ARNs by the region they name, in the order of the first of each.
func byRegion(arns []string) (list []iam.RoleUsageType) {
	places := map[string]int{}
	for _, text := range arns {
		a, err := arn.Parse(text)
		if err != nil {
			continue
		}
		n, ok := places[a.Region]
		if !ok {
			n = len(list)
			places[a.Region] = n
			list = append(list, iam.RoleUsageType{Region: &a.Region})
		}
		list[n].Resources = append(list[n].Resources, text)
	}
	return list
}
