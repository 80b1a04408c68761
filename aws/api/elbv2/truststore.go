package elbv2

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxTrustStores is how many trust stores an account has in a region.
const maxTrustStores = 20

func (a *API) createTrustStore(ctx context.Context, call *gateway.Call, in *shape.CreateTrustStoreInput) (*shape.CreateTrustStoreOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	bundle, err := a.bundle(ctx, *in.CaCertificatesBundleS3Bucket, *in.CaCertificatesBundleS3Key, member.Value(in.CaCertificatesBundleS3ObjectVersion))
	if err != nil {
		return nil, err
	}
	s := &balancer.TrustStore{
		Scope: call.Scope, ARN: balancer.TrustStoreARN(call.Scope, *in.Name, a.newID()), Name: *in.Name, Bundle: bundle, Tags: tags, CreatedAt: call.Now,
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		n := 0
		for other := range store.TrustStores.All(tx) {
			if other.Scope != call.Scope {
				continue
			}
			if n++; other.Name == s.Name {
				return fault.New(fault.DuplicateTrustStoreName, "A trust store with the name '%s' already exists", s.Name)
			}
		}
		if n >= maxTrustStores {
			return fault.New(fault.TooManyTrustStores, "The maximum number of trust stores has been reached")
		}
		store.TrustStores.Put(tx, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateTrustStoreOutput{TrustStores: []shape.TrustStore{showTrustStore(s)}}, nil
}

// object is an object of S3. An absent one is a fault of the kind.
func (a *API) object(ctx context.Context, bucket, key, version string, missing fault.Kind) ([]byte, error) {
	gone := fault.New(missing, "The object 's3://%s/%s' cannot be found", bucket, key)
	if a.objects == nil {
		return nil, gone.WithHint("this server has no S3")
	}
	content, ok, err := a.objects.Object(ctx, bucket, key, version)
	if err == nil && !ok {
		err = gone
	}
	return content, err
}

// bundle is a bundle of authorities: PEM certificates and nothing else.
func (a *API) bundle(ctx context.Context, bucket, key, version string) ([]byte, error) {
	content, err := a.object(ctx, bucket, key, version, fault.CABundleNotFound)
	if err != nil {
		return nil, err
	}
	if authorities(content) == 0 {
		return nil, fault.New(fault.InvalidCABundle, "The CA certificates bundle 's3://%s/%s' is not valid", bucket, key).
			WithHint("it must hold certificates in PEM, and nothing else")
	}
	return content, nil
}

// authorities counts the certificates of a bundle; 0 when any cannot be read.
func authorities(bundle []byte) (n int) {
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			return n
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil || block.Type != "CERTIFICATE" {
			return 0
		}
		n, bundle = n+1, rest
	}
}

func (a *API) modifyTrustStore(ctx context.Context, call *gateway.Call, in *shape.ModifyTrustStoreInput) (*shape.ModifyTrustStoreOutput, error) {
	bundle, err := a.bundle(ctx, *in.CaCertificatesBundleS3Bucket, *in.CaCertificatesBundleS3Key, member.Value(in.CaCertificatesBundleS3ObjectVersion))
	if err != nil {
		return nil, err
	}
	s, err := a.changeTrustStore(ctx, call, *in.TrustStoreArn, func(s *balancer.TrustStore) error {
		s.Bundle = bundle
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyTrustStoreOutput{TrustStores: []shape.TrustStore{showTrustStore(&s)}}, nil
}

func (a *API) changeTrustStore(ctx context.Context, call *gateway.Call, name string, alter func(*balancer.TrustStore) error) (balancer.TrustStore, error) {
	next, _, err := change(ctx, a, call, store.TrustStores, findTrustStore, name, func(_ *store.Tx, s *balancer.TrustStore) error { return alter(s) })
	return next, err
}

func (a *API) deleteTrustStore(ctx context.Context, call *gateway.Call, in *shape.DeleteTrustStoreInput) (*shape.DeleteTrustStoreOutput, error) {
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		s, err := findTrustStore(tx, call.Scope, *in.TrustStoreArn)
		if err != nil {
			return err
		}
		if len(trusting(tx, s)) > 0 {
			return fault.New(fault.TrustStoreInUse, "Trust store '%s' is currently in use by a listener", s.ARN)
		}
		store.TrustStores.Delete(tx, s.ARN)
		return nil
	})
	return &shape.DeleteTrustStoreOutput{}, err
}

func (a *API) describeTrustStores(_ context.Context, call *gateway.Call, in *shape.DescribeTrustStoresInput) (*shape.DescribeTrustStoresOutput, error) {
	list, err := chosenTrustStores(a.store.View(), call.Scope, in.TrustStoreArns, in.Names)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(list, in.Marker, in.PageSize, func(s *balancer.TrustStore) string { return s.ARN })
	if err != nil {
		return nil, err
	}
	out := member.Each(part, func(s **balancer.TrustStore) shape.TrustStore { return showTrustStore(*s) })
	return &shape.DescribeTrustStoresOutput{TrustStores: out, NextMarker: next}, nil
}

func chosenTrustStores(r store.Reader, scope arn.Scope, arns, names []string) (list []*balancer.TrustStore, err error) {
	for s := range store.TrustStores.All(r) {
		named := len(arns)+len(names) == 0 || slices.Contains(arns, s.ARN) || slices.Contains(names, s.Name)
		if s.Scope == scope && named {
			list = append(list, s)
		}
	}
	if len(list) < len(arns)+len(names) {
		return nil, fault.New(fault.TrustStoreNotFound, "One or more trust stores not found")
	}
	return list, nil
}

func showTrustStore(s *balancer.TrustStore) shape.TrustStore {
	var revoked int64
	for _, r := range s.Revocations {
		revoked += r.Entries
	}
	return shape.TrustStore{
		Name: &s.Name, TrustStoreArn: &s.ARN, Status: shape.TrustStoreStatusActive,
		NumberOfCaCertificates: new(int32(authorities(s.Bundle))), TotalRevokedEntries: &revoked,
	}
}

// trusting are the ARNs of the listeners that use a trust store, in order.
func trusting(r store.Reader, s *balancer.TrustStore) (arns []string) {
	for l := range store.Listeners.All(r) {
		if l.MutualAuth != nil && l.MutualAuth.TrustStoreARN == s.ARN {
			arns = append(arns, l.ARN)
		}
	}
	return arns
}

func (a *API) describeTrustStoreAssociations(_ context.Context, call *gateway.Call, in *shape.DescribeTrustStoreAssociationsInput) (*shape.DescribeTrustStoreAssociationsOutput, error) {
	v := a.store.View()
	s, err := findTrustStore(v, call.Scope, *in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(trusting(v, s), in.Marker, in.PageSize, func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	out := member.Each(part, func(name *string) shape.TrustStoreAssociation { return shape.TrustStoreAssociation{ResourceArn: name} })
	return &shape.DescribeTrustStoreAssociationsOutput{TrustStoreAssociations: out, NextMarker: next}, nil
}

// deleteSharedTrustStoreAssociation refuses: trust stores are not shared between
// accounts, so that what uses one is its own account's.
func (a *API) deleteSharedTrustStoreAssociation(_ context.Context, call *gateway.Call, in *shape.DeleteSharedTrustStoreAssociationInput) (*shape.DeleteSharedTrustStoreAssociationOutput, error) {
	v := a.store.View()
	s, err := findTrustStore(v, call.Scope, *in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(trusting(v, s), *in.ResourceArn) {
		return nil, fault.New(fault.AssociationNotFound, "The association of '%s' with '%s' cannot be found", *in.TrustStoreArn, *in.ResourceArn)
	}
	return nil, fault.New(fault.OperationNotPermitted, "The association is with a resource of the same account").WithHint("change the listener's mutual authentication")
}
