package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/store"
)

// maxTags is how many tags a resource has.
const maxTags = 50

func readTag(t *iam.Tag) workload.Tag { return workload.Tag{Key: *t.Key, Value: *t.Value} }

func showTag(t *workload.Tag) iam.Tag { return iam.Tag{Key: &t.Key, Value: &t.Value} }

// readTags reads the tags of something new.
func readTags(in []iam.Tag) ([]workload.Tag, error) { return withTags(nil, in) }

// withTags are the tags with more: a key that is there keeps its place. Keys are
// the same whatever their case.
func withTags(have []workload.Tag, more []iam.Tag) ([]workload.Tag, error) {
	tags := slices.Clone(have)
	for i := range more {
		t := readTag(&more[i])
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, invalid("Caller is an end user and not allowed to mutate system tags").WithHint("keys cannot begin with aws:")
		}
		if slices.ContainsFunc(more[:i], func(o iam.Tag) bool { return strings.EqualFold(*o.Key, t.Key) }) {
			return nil, invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if n := slices.IndexFunc(tags, func(o workload.Tag) bool { return strings.EqualFold(o.Key, t.Key) }); n >= 0 {
			tags[n] = t
			continue
		}
		tags = append(tags, t)
	}
	if len(tags) > maxTags {
		return nil, fault.New(fault.QuotaExceeded, "The number of tags has reached the maximum limit.").WithHint("a resource has at most %d tags", maxTags)
	}
	return tags, nil
}

func withoutTags(have []workload.Tag, keys []string) []workload.Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t workload.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

// listTags is a page of tags, in their own order.
func listTags(marker *string, size *int32, tags []workload.Tag) ([]iam.Tag, *bool, *string, error) {
	p, err := readPage(marker, size)
	if err != nil {
		return nil, nil, nil, err
	}
	if p.after != "" {
		n := slices.IndexFunc(tags, func(t workload.Tag) bool { return t.Key == p.after })
		tags, p.after = tags[n+1:], ""
	}
	list, more, next := fill(p, slices.Values(tags), func(t workload.Tag) string { return t.Key })
	return member.Each(list, showTag), &more, next, nil
}

// TagsOf are the tags of a user, role, policy or instance profile, by its ARN; ok is
// false when there is none.
func TagsOf(r store.Reader, a arn.ARN) (tags []workload.Tag, ok bool) {
	key, name := store.NameKey(a.Account, a.Name()), ""
	switch a.Kind() {
	case "user":
		if u, found := store.Users.Get(r, key); found {
			name, tags = u.ARN, u.Tags
		}
	case "role":
		if role, found := store.Roles.Get(r, key); found {
			name, tags = role.ARN, role.Tags
		}
	case "instance-profile":
		if p, found := store.InstanceProfiles.Get(r, key); found {
			name, tags = p.ARN, p.Tags
		}
	case "policy":
		if p, found := store.ManagedPolicies.Get(r, a.String()); found {
			name, tags = p.ARN, p.Tags
		}
	}
	if name != a.String() {
		return nil, false
	}
	return tags, true
}

func (a *API) tagUser(ctx context.Context, call *gateway.Call, in *iam.TagUserRequest) (*wire.Empty, error) {
	return a.changeUser(ctx, call, *in.UserName, func(_ *store.Tx, u *identity.UserRecord) (err error) {
		u.Tags, err = withTags(u.Tags, in.Tags)
		return err
	})
}

func (a *API) untagUser(ctx context.Context, call *gateway.Call, in *iam.UntagUserRequest) (*wire.Empty, error) {
	return a.changeUser(ctx, call, *in.UserName, func(_ *store.Tx, u *identity.UserRecord) error {
		u.Tags = withoutTags(u.Tags, in.TagKeys)
		return nil
	})
}

func (a *API) listUserTags(_ context.Context, call *gateway.Call, in *iam.ListUserTagsRequest) (*iam.ListUserTagsResponse, error) {
	u, err := findUser(a.store.View(), call, *in.UserName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := listTags(in.Marker, in.MaxItems, u.Tags)
	return &iam.ListUserTagsResponse{Tags: tags, IsTruncated: more, Marker: next}, err
}

func (a *API) tagRole(ctx context.Context, call *gateway.Call, in *iam.TagRoleRequest) (*wire.Empty, error) {
	return a.changeAnyRole(ctx, call, *in.RoleName, func(_ *store.Tx, r *identity.Role) (err error) {
		r.Tags, err = withTags(r.Tags, in.Tags)
		return err
	})
}

func (a *API) untagRole(ctx context.Context, call *gateway.Call, in *iam.UntagRoleRequest) (*wire.Empty, error) {
	return a.changeAnyRole(ctx, call, *in.RoleName, func(_ *store.Tx, r *identity.Role) error {
		r.Tags = withoutTags(r.Tags, in.TagKeys)
		return nil
	})
}

func (a *API) listRoleTags(_ context.Context, call *gateway.Call, in *iam.ListRoleTagsRequest) (*iam.ListRoleTagsResponse, error) {
	r, err := findRole(a.store.View(), call, *in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := listTags(in.Marker, in.MaxItems, r.Tags)
	return &iam.ListRoleTagsResponse{Tags: tags, IsTruncated: more, Marker: next}, err
}

func (a *API) tagPolicy(ctx context.Context, call *gateway.Call, in *iam.TagPolicyRequest) (*wire.Empty, error) {
	return a.changePolicy(ctx, call, *in.PolicyArn, func(_ *store.Tx, p *identity.ManagedPolicy) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
}

func (a *API) untagPolicy(ctx context.Context, call *gateway.Call, in *iam.UntagPolicyRequest) (*wire.Empty, error) {
	return a.changePolicy(ctx, call, *in.PolicyArn, func(_ *store.Tx, p *identity.ManagedPolicy) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
}

func (a *API) listPolicyTags(_ context.Context, call *gateway.Call, in *iam.ListPolicyTagsRequest) (*iam.ListPolicyTagsResponse, error) {
	p, err := findPolicy(a.store.View(), call, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := listTags(in.Marker, in.MaxItems, p.Tags)
	return &iam.ListPolicyTagsResponse{Tags: tags, IsTruncated: more, Marker: next}, err
}

func (a *API) tagInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.TagInstanceProfileRequest) (*wire.Empty, error) {
	return a.changeProfile(ctx, call, *in.InstanceProfileName, func(_ *store.Tx, p *identity.InstanceProfile) (err error) {
		p.Tags, err = withTags(p.Tags, in.Tags)
		return err
	})
}

func (a *API) untagInstanceProfile(ctx context.Context, call *gateway.Call, in *iam.UntagInstanceProfileRequest) (*wire.Empty, error) {
	return a.changeProfile(ctx, call, *in.InstanceProfileName, func(_ *store.Tx, p *identity.InstanceProfile) error {
		p.Tags = withoutTags(p.Tags, in.TagKeys)
		return nil
	})
}

func (a *API) listInstanceProfileTags(_ context.Context, call *gateway.Call, in *iam.ListInstanceProfileTagsRequest) (*iam.ListInstanceProfileTagsResponse, error) {
	p, err := findProfile(a.store.View(), call, *in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	tags, more, next, err := listTags(in.Marker, in.MaxItems, p.Tags)
	return &iam.ListInstanceProfileTagsResponse{Tags: tags, IsTruncated: more, Marker: next}, err
}
