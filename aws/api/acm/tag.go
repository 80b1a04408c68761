package acm

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

type tag = workload.Tag

// maxTags is how many tags a certificate has.
const maxTags = 50

func readTag(t *shape.Tag) tag { return tag{Key: *t.Key, Value: member.Value(t.Value)} }

func showTag(t *tag) shape.Tag { return shape.Tag{Key: &t.Key, Value: &t.Value} }

// withTags adds tags; later values of a key win.
func withTags(have, said []tag) ([]tag, error) {
	if slices.ContainsFunc(said, tag.Reserved) {
		return nil, fault.New(fault.InvalidCertificateTag, "Tag keys can't start with aws:.")
	}
	out := workload.SetTags(have, said)
	if len(out) > maxTags {
		return nil, fault.New(fault.TooManyTags, "A certificate has at most %d tags.", maxTags)
	}
	return out, nil
}

func (a *API) addTags(ctx context.Context, call *gateway.Call, in *shape.AddTagsToCertificateRequest) (*wire.Empty, error) {
	err := a.change(ctx, call, *in.CertificateArn, func(_ *store.Tx, c *balancer.Certificate) (err error) {
		c.Tags, err = withTags(c.Tags, member.Each(in.Tags, readTag))
		return err
	})
	return &wire.Empty{}, err
}

// removeTags takes tags by key; one that names a value goes only if it has that.
func (a *API) removeTags(ctx context.Context, call *gateway.Call, in *shape.RemoveTagsFromCertificateRequest) (*wire.Empty, error) {
	err := a.change(ctx, call, *in.CertificateArn, func(_ *store.Tx, c *balancer.Certificate) error {
		c.Tags = slices.DeleteFunc(slices.Clone(c.Tags), func(have tag) bool {
			return slices.ContainsFunc(in.Tags, func(said shape.Tag) bool {
				return *said.Key == have.Key && (said.Value == nil || *said.Value == have.Value)
			})
		})
		return nil
	})
	return &wire.Empty{}, err
}

func (a *API) listTags(_ context.Context, call *gateway.Call, in *shape.ListTagsForCertificateRequest) (*shape.ListTagsForCertificateResponse, error) {
	c, err := find(a.store.View(), call, *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &shape.ListTagsForCertificateResponse{Tags: member.Each(c.Tags, showTag)}, nil
}
