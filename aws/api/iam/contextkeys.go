package iam

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/domain/identity/policy"
)

// keysOf are the condition keys that documents name, sorted, each once.
func keysOf(documents []*policy.Document) []string {
	keys := []string{}
	for _, d := range documents {
		keys = append(keys, d.Keys()...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// parsedAll reads policies that came with a request.
func parsedAll(texts []string, use policy.Use) ([]*policy.Document, error) {
	var out []*policy.Document
	for _, text := range texts {
		d, err := policy.Parse(text, use)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func (a *API) getContextKeysForCustomPolicy(_ context.Context, _ *gateway.Call, in *iam.GetContextKeysForCustomPolicyRequest) (*iam.GetContextKeysForPolicyResponse, error) {
	documents, err := parsedAll(in.PolicyInputList, policy.Identity)
	if err != nil {
		return nil, err
	}
	return &iam.GetContextKeysForPolicyResponse{ContextKeyNames: keysOf(documents)}, nil
}

func (a *API) getContextKeysForPrincipalPolicy(_ context.Context, call *gateway.Call, in *iam.GetContextKeysForPrincipalPolicyRequest) (*iam.GetContextKeysForPolicyResponse, error) {
	documents, err := parsedAll(in.PolicyInputList, policy.Identity)
	if err != nil {
		return nil, err
	}
	source, err := sourceOf(a.store.View(), call, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	for _, applied := range source.policies.Identity {
		documents = append(documents, applied.Document)
	}
	return &iam.GetContextKeysForPolicyResponse{ContextKeyNames: keysOf(documents)}, nil
}
