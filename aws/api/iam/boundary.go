package iam

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/identity/managed"
	"github.com/berthhq/berth/store"
)

// checkBoundary refuses a boundary that cannot be one; none is fine.
func checkBoundary(r store.Reader, call *gateway.Call, policyARN string) error {
	if policyARN == "" {
		return nil
	}
	p, err := findPolicy(r, call, policyARN)
	if err != nil || managed.Linked(p) {
		return missing("Policy %s does not exist or is not attachable.", policyARN)
	}
	return nil
}

func showBoundary(policyARN string) *iam.AttachedPermissionsBoundary {
	if policyARN == "" {
		return nil
	}
	// AWS answers "Policy" here, whatever the model says.
	return &iam.AttachedPermissionsBoundary{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: &policyARN}
}

func (a *API) bound(ctx context.Context, call *gateway.Call, find finder, name, policyARN string) (*wire.Empty, error) {
	return a.changeHolder(ctx, call, find, name, func(tx *store.Tx, h *holder) error {
		h.grants.Boundary = policyARN
		return checkBoundary(tx, call, policyARN)
	})
}

func (a *API) putUserPermissionsBoundary(ctx context.Context, call *gateway.Call, in *iam.PutUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	return a.bound(ctx, call, userHolder, *in.UserName, *in.PermissionsBoundary)
}

func (a *API) putRolePermissionsBoundary(ctx context.Context, call *gateway.Call, in *iam.PutRolePermissionsBoundaryRequest) (*wire.Empty, error) {
	return a.bound(ctx, call, roleHolder, *in.RoleName, *in.PermissionsBoundary)
}

func (a *API) deleteUserPermissionsBoundary(ctx context.Context, call *gateway.Call, in *iam.DeleteUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	return a.bound(ctx, call, userHolder, *in.UserName, "")
}

func (a *API) deleteRolePermissionsBoundary(ctx context.Context, call *gateway.Call, in *iam.DeleteRolePermissionsBoundaryRequest) (*wire.Empty, error) {
	return a.bound(ctx, call, roleHolder, *in.RoleName, "")
}
