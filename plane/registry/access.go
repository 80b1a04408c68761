package registry

import (
	"context"
	"fmt"

	"github.com/berthhq/berth/domain/arn"
)

// OwnAccount allows everyone everything in their own account and nothing outside
// it: what holds where no policies are evaluated.
type OwnAccount struct{}

// Allow implements Access.
func (OwnAccount) Allow(_ context.Context, grant Grant, action, resource string) error {
	a, err := arn.Parse(resource)
	if err == nil && a.Account == grant.Principal.Account {
		return nil
	}
	return fmt.Errorf("User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action", grant.Principal.ARN, action, resource, action)
}
