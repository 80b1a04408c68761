package registry

import (
	"context"
	"fmt"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
)

// OwnAccount allows everyone everything in their own account and nothing outside
// it: what holds where no policies are evaluated.
type OwnAccount struct{}

// Allow implements Access.
func (OwnAccount) Allow(_ context.Context, who identity.Principal, action, resource string) error {
	a, err := arn.Parse(resource)
	if err == nil && a.Account == who.Account {
		return nil
	}
	return fmt.Errorf("User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action", who.ARN, action, resource, action)
}
