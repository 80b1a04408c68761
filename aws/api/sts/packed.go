package sts

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"strings"

	shape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/identity/policy"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// Limits of session policies and tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
const (
	maxPolicyARNs = 10
	maxPlain      = 2048 // characters of session policies and ARNs before they are packed
	maxPacked     = 2048 // bytes of policies and tags together, packed; AWS does not say its own
)

// given are the session policies of a request.
type given struct{ inline, arns []string }

// readPolicies reads session policies. Managed ones must exist.
func (a *API) readPolicies(scope arn.Scope, inline *string, descriptors []shape.PolicyDescriptorType) (given, error) {
	var out given
	if len(descriptors) > maxPolicyARNs {
		return out, invalid("PolicyArns can have at most %d items.", maxPolicyARNs)
	}
	v, plain := a.store.View(), len([]rune(deref(inline)))
	for _, d := range descriptors {
		name := deref(d.Arn)
		p, ok := store.ManagedPolicies.Get(v, name)
		if !ok || p.Account != scope.Account && p.Account != identity.AWSAccount {
			return out, invalid("Policy %s does not exist or is not attachable.", name)
		}
		out.arns, plain = append(out.arns, name), plain+len(name)
	}
	if plain > maxPlain {
		return out, invalid("The session policies together must have length less than or equal to %d", maxPlain)
	}
	if inline == nil {
		return out, nil
	}
	if _, err := policy.Parse(*inline, policy.Identity); err != nil {
		return out, err
	}
	out.inline = []string{*inline}
	return out, nil
}

// packed is how much of the space of a session its policies and tags take, in
// percent; nil when it has none.
func packed(g given, tags []workload.Tag) (*int32, error) {
	if len(g.inline)+len(g.arns)+len(tags) == 0 {
		return nil, nil
	}
	var size countingWriter
	w, err := flate.NewWriter(&size, flate.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("packing a session: %w", err)
	}
	for _, text := range g.inline {
		_, _ = w.Write(compact(text)) // a counter takes all
	}
	_, _ = w.Write([]byte(strings.Join(g.arns, "\n")))
	for _, t := range tags {
		_, _ = w.Write([]byte(t.Key + "\x00" + t.Value + "\n"))
	}
	_ = w.Close()
	percent := int32((int(size)*100 + maxPacked - 1) / maxPacked)
	if percent > 100 {
		return nil, fault.New(fault.PackedPolicyTooLarge, "Packed policy consumes %d%% of allotted space, please use smaller policy.", percent).
			WithHint("policies and tags of a session share %d bytes", maxPacked)
	}
	return &percent, nil
}

// compact is JSON without the white space that means nothing.
func compact(text string) []byte {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return []byte(text)
	}
	return out.Bytes()
}

type countingWriter int

func (n *countingWriter) Write(b []byte) (int, error) {
	*n += countingWriter(len(b))
	return len(b), nil
}
