// Package account tells which regions an account has.
// https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html
package account

import (
	"context"
	"encoding/base64"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/account"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/region"
)

// Operations are the handlers by operation name. What is not here is not
// supported, and the gateway says so.
func Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"ListRegions": gateway.Handle(listRegions),
	}
}

// maxPage is the greatest page, and what one holds when the caller did not say.
const maxPage = 50

// listRegions lists what berth serves: every region is open, so that those which
// AWS wants enabled first are.
func listRegions(_ context.Context, call *gateway.Call, in *shape.ListRegionsRequest) (*shape.ListRegionsResponse, error) {
	if in.AccountId != nil {
		return nil, fault.New(fault.AccessDenied, "User: %s is not authorized to perform: account:ListRegions", call.Principal.ARN).
			WithHint("leave AccountId out to list the regions of your own account; it is for organizations, which berth does not have")
	}
	after, err := openToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	size := maxPage
	if in.MaxResults != nil {
		size = int(*in.MaxResults)
	}
	out := &shape.ListRegionsResponse{Regions: []shape.Region{}}
	for _, r := range region.Commercial() {
		if r.Name <= after || !wanted(in.RegionOptStatusContains, optStatus(r)) {
			continue
		}
		if len(out.Regions) == size {
			out.NextToken = sealToken(*out.Regions[size-1].RegionName)
			break
		}
		out.Regions = append(out.Regions, shape.Region{RegionName: new(r.Name), RegionOptStatus: optStatus(r)})
	}
	return out, nil
}

func optStatus(r region.Region) shape.RegionOptStatus {
	if r.OptIn {
		return shape.RegionOptStatusEnabled
	}
	return shape.RegionOptStatusEnabledByDefault
}

func wanted(statuses []shape.RegionOptStatus, status shape.RegionOptStatus) bool {
	return len(statuses) == 0 || slices.Contains(statuses, status)
}

// sealToken makes the opaque token of the page that follows a region.
func sealToken(name string) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(name)))
}

// openToken is the region after which a page begins; empty for the first page.
func openToken(token *string) (after string, err error) {
	if token == nil || *token == "" {
		return "", nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || !region.Exists(string(name)) {
		return "", fault.New(fault.Validation, "NextToken is not valid.").
			WithHint("send the NextToken of the page before, or none for the first page")
	}
	return string(name), nil
}
