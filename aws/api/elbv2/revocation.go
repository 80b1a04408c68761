package elbv2

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
)

func (a *API) addTrustStoreRevocations(ctx context.Context, call *gateway.Call, in *shape.AddTrustStoreRevocationsInput) (*shape.AddTrustStoreRevocationsOutput, error) {
	lists, err := a.revocations(ctx, in.RevocationContents)
	if err != nil {
		return nil, err
	}
	s, err := a.changeTrustStore(ctx, call, *in.TrustStoreArn, func(s *balancer.TrustStore) error {
		s.Revocations = slices.Clone(s.Revocations)
		for _, r := range lists {
			s.Next++
			r.ID = s.Next
			s.Revocations = append(s.Revocations, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	added := s.Revocations[len(s.Revocations)-len(lists):]
	return &shape.AddTrustStoreRevocationsOutput{TrustStoreRevocations: member.Each(added, func(r *balancer.Revocation) shape.TrustStoreRevocation {
		return shape.TrustStoreRevocation{TrustStoreArn: &s.ARN, RevocationId: &r.ID, RevocationType: shape.RevocationTypeCrl, NumberOfRevokedEntries: &r.Entries}
	})}, nil
}

// revocations reads lists of revoked certificates out of S3.
func (a *API) revocations(ctx context.Context, in []shape.RevocationContent) (lists []balancer.Revocation, err error) {
	for _, c := range in {
		bucket, key := member.Value(c.S3Bucket), member.Value(c.S3Key)
		content, err := a.object(ctx, bucket, key, member.Value(c.S3ObjectVersion), fault.RevocationContentNotFound)
		if err != nil {
			return nil, err
		}
		der := content
		if block, _ := pem.Decode(content); block != nil {
			der = block.Bytes
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, fault.New(fault.InvalidRevocationContent, "The revocation content 's3://%s/%s' is not valid", bucket, key).
				WithHint("it must be a certificate revocation list in DER or PEM").Because(err)
		}
		lists = append(lists, balancer.Revocation{Entries: int64(len(list.RevokedCertificateEntries)), List: content})
	}
	return lists, nil
}

func (a *API) removeTrustStoreRevocations(ctx context.Context, call *gateway.Call, in *shape.RemoveTrustStoreRevocationsInput) (*shape.RemoveTrustStoreRevocationsOutput, error) {
	_, err := a.changeTrustStore(ctx, call, *in.TrustStoreArn, func(s *balancer.TrustStore) error {
		for _, id := range in.RevocationIds {
			if !slices.ContainsFunc(s.Revocations, hasID(id)) {
				return noRevocation(id)
			}
			s.Revocations = slices.DeleteFunc(slices.Clone(s.Revocations), hasID(id))
		}
		return nil
	})
	return &shape.RemoveTrustStoreRevocationsOutput{}, err
}

func hasID(id int64) func(balancer.Revocation) bool {
	return func(r balancer.Revocation) bool { return r.ID == id }
}

func noRevocation(id int64) error {
	return fault.New(fault.RevocationIDNotFound, "The revocation ID '%d' cannot be found", id)
}

func (a *API) describeTrustStoreRevocations(_ context.Context, call *gateway.Call, in *shape.DescribeTrustStoreRevocationsInput) (*shape.DescribeTrustStoreRevocationsOutput, error) {
	s, err := findTrustStore(a.store.View(), call.Scope, *in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	list := s.Revocations
	if len(in.RevocationIds) > 0 {
		list = nil
	}
	for _, id := range in.RevocationIds {
		i := slices.IndexFunc(s.Revocations, hasID(id))
		if i < 0 {
			return nil, noRevocation(id)
		}
		list = append(list, s.Revocations[i])
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(r balancer.Revocation) string { return fmt.Sprintf("%020d", r.ID) })
	if err != nil {
		return nil, err
	}
	return &shape.DescribeTrustStoreRevocationsOutput{NextMarker: next, TrustStoreRevocations: member.Each(part, func(r *balancer.Revocation) shape.DescribeTrustStoreRevocation {
		return shape.DescribeTrustStoreRevocation{TrustStoreArn: &s.ARN, RevocationId: &r.ID, RevocationType: shape.RevocationTypeCrl, NumberOfRevokedEntries: &r.Entries}
	})}, nil
}
