package iam

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/managed"
	"github.com/berthhq/berth/store"
)

// EnsureManagedPolicies puts AWS's managed policies into the store, and brings those
// that are there up to date. Who has one attached has its new text at once.
func EnsureManagedPolicies(ctx context.Context, st store.Store, now time.Time) error {
	policies, err := managed.Policies(now)
	if err != nil {
		return err
	}
	_, err = st.Update(ctx, func(tx *store.Tx) error {
		for i := range policies {
			next := &policies[i]
			have, ok := store.ManagedPolicies.Get(tx, next.ARN)
			if ok {
				next = managed.Renewed(have, next, now)
			}
			if next != have {
				store.ManagedPolicies.Put(tx, next)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store AWS's managed policies: %w", err)
	}
	return nil
}

// Roles of the first start, as AWS's console names them where it makes them.
const (
	TaskExecutionRole  = "ecsTaskExecutionRole"
	InstanceRole       = "ecsInstanceRole"
	InfrastructureRole = "ecsInfrastructureRoleForExpressServices"

	// MachineRole is that of a machine which only lends itself to Fargate: the account
	// has no instances, and the name above stays free for who makes some.
	MachineRole = "berthMachineRole"
)

const instanceService, instancePolicy = "ec2.amazonaws.com", "AmazonEC2ContainerServiceforEC2Role"

// EnsureFirstRoles makes the roles that ECS's consoles and guides count on: that
// which pulls images and writes logs for tasks, and that of instances, with its
// profile. Beside AWS's managed policies both may make log groups: those policies
// leave it out, and awslogs-create-group asks for it. It does nothing in an account that
// has roles: one that was deleted does not come back.
func EnsureFirstRoles(ctx context.Context, st store.Store, scope arn.Scope, now time.Time) error {
	_, err := st.Update(ctx, func(tx *store.Tx) error {
		if hasRoles(tx, scope.Account) {
			return nil
		}
		if err := firstRole(tx, scope, now, TaskExecutionRole, "ecs-tasks.amazonaws.com", "AmazonECSTaskExecutionRolePolicy"); err != nil {
			return err
		}
		if err := firstRole(tx, scope, now, InstanceRole, instanceService, instancePolicy); err != nil {
			return err
		}
		if err := firstRole(tx, scope, now, InfrastructureRole, "ecs.amazonaws.com", "AmazonECSInfrastructureRoleforExpressGatewayServices"); err != nil {
			return err
		}
		return firstProfile(tx, scope, now)
	})
	if err != nil {
		return fmt.Errorf("make the first roles: %w", err)
	}
	return nil
}

// hasRoles tells whether an account has roles that berth did not make for itself.
func hasRoles(r store.Reader, account string) bool {
	for role := range store.Roles.All(r) {
		if role.Account == account && role.Service == "" && role.Name != MachineRole {
			return true
		}
	}
	return false
}

// EnsureMachineRole makes the role of a machine that is no instance.
func EnsureMachineRole(ctx context.Context, st store.Store, scope arn.Scope, now time.Time) error {
	_, err := st.Update(ctx, func(tx *store.Tx) error {
		return firstRole(tx, scope, now, MachineRole, instanceService, instancePolicy)
	})
	if err != nil {
		return fmt.Errorf("make the role of this machine: %w", err)
	}
	return nil
}

const createLogGroups = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"*"}]}`

func firstRole(tx *store.Tx, scope arn.Scope, now time.Time, name, service, policyName string) error {
	if _, ok := store.Roles.Get(tx, store.NameKey(scope.Account, name)); ok {
		return nil
	}
	id, err := identity.NewID(identity.RoleID, rand.Reader)
	if err != nil {
		return err
	}
	store.Roles.Put(tx, &identity.Role{
		Account: scope.Account, Name: name, Path: "/", ID: id, ARN: scope.Global("iam", "role/"+name), MaxSession: sessionDefault, CreatedAt: now,
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`,
		Grants: identity.Grants{
			Inline:   []identity.InlinePolicy{{Name: "create-log-groups", Document: createLogGroups}},
			Attached: []string{managed.ARN("service-role/" + policyName)},
		},
	})
	return nil
}

func firstProfile(tx *store.Tx, scope arn.Scope, now time.Time) error {
	if _, ok := store.InstanceProfiles.Get(tx, store.NameKey(scope.Account, InstanceRole)); ok {
		return nil
	}
	id, err := identity.NewID(identity.InstanceProfileID, rand.Reader)
	if err != nil {
		return err
	}
	store.InstanceProfiles.Put(tx, &identity.InstanceProfile{
		Account: scope.Account, Name: InstanceRole, Path: "/", ID: id, ARN: scope.Global("iam", "instance-profile/"+InstanceRole),
		Roles: []string{InstanceRole}, CreatedAt: now,
	})
	return nil
}
