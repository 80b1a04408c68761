package ecr

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/store"
)

// getAuthorizationToken answers with one token, as AWS does since registryIds is
// deprecated, or one for each registry id that was given. The token is the
// caller's own: it opens what the caller may open.
func (a *API) getAuthorizationToken(_ context.Context, call *gateway.Call, in *ecr.GetAuthorizationTokenRequest) (*ecr.GetAuthorizationTokenResponse, error) {
	token, expires := a.tokens.Issue(call.Principal, call.KeyID, call.Now, a.sessionEnd(call))
	data := ecr.AuthorizationData{
		AuthorizationToken: new(base64.StdEncoding.EncodeToString([]byte("AWS:" + token))),
		ExpiresAt:          &expires,
		ProxyEndpoint:      new(a.reachedAt(call)),
	}
	out := &ecr.GetAuthorizationTokenResponse{}
	for range max(1, len(in.RegistryIds)) {
		out.AuthorizationData = append(out.AuthorizationData, data)
	}
	return out, nil
}

// sessionEnd is when the key that signed the request ends; zero for long-term keys.
func (a *API) sessionEnd(call *gateway.Call) time.Time {
	key, ok := store.AccessKeys.Get(a.store.View(), call.KeyID)
	if !ok {
		return time.Time{}
	}
	return key.ExpiresAt
}

func (a *API) describeRegistry(_ context.Context, call *gateway.Call, _ *ecr.DescribeRegistryRequest) (*ecr.DescribeRegistryResponse, error) {
	return &ecr.DescribeRegistryResponse{
		RegistryId:               &call.Scope.Account,
		ReplicationConfiguration: &ecr.ReplicationConfiguration{Rules: []ecr.ReplicationRule{}},
	}, nil
}
