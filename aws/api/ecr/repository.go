package ecr

import (
	"context"
	"strings"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/store"
)

// maxPage is how many items a page holds when the caller does not say.
const maxPage = 100

func (a *API) createRepository(ctx context.Context, call *gateway.Call, in *ecr.CreateRepositoryRequest) (*ecr.CreateRepositoryResponse, error) {
	next, err := a.readRepository(call, in)
	if err != nil {
		return nil, err
	}
	if _, ok := store.Repositories.Get(a.store.View(), next.ARN); ok {
		return nil, alreadyThere(next)
	}
	// A push that was under way while a repository of this name was deleted may
	// have left something behind.
	if err := a.images.Purge(ctx, place(next)); err != nil {
		return nil, asFault(err, next)
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Repositories.Get(tx, next.ARN); ok {
			return alreadyThere(next)
		}
		store.Repositories.Put(tx, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryResponse{Repository: a.show(call, next)}, nil
}

func alreadyThere(r *image.Repository) *fault.Fault {
	return fault.New(fault.RepositoryAlreadyExists, "The repository with name '%s' already exists in the registry with id '%s'", r.Name, r.Scope.Account)
}

func (a *API) readRepository(call *gateway.Call, in *ecr.CreateRepositoryRequest) (*image.Repository, error) {
	scope, name := a.registry(call, in.RegistryId), member.Value(in.RepositoryName)
	var err error
	r := &image.Repository{
		Scope: scope, Name: name, ARN: image.RepositoryARN(scope, name), CreatedAt: call.Now,
		Encryption: image.Encryption{Type: string(ecr.EncryptionTypeAes256)},
	}
	if !image.ValidPath(place(r).Path()) {
		return nil, invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must be a name of the registry protocol, of at most %d characters in this region'", 255-len(place(r).Path())+len(name))
	}
	if r.Mutability, r.Exclusions, err = readMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	if r.Tags, err = readTags(in.Tags); err != nil {
		return nil, err
	}
	if in.ImageScanningConfiguration != nil {
		r.ScanOnPush = member.Value(in.ImageScanningConfiguration.ScanOnPush)
	}
	if e := in.EncryptionConfiguration; e != nil {
		r.Encryption = image.Encryption{Type: string(e.EncryptionType), KMSKey: member.Value(e.KmsKey)}
	}
	return r, nil
}

// readMutability checks that filters come with a mutability that has exclusions,
// and only with one.
func readMutability(m ecr.ImageTagMutability, filters []ecr.ImageTagMutabilityExclusionFilter) (image.Mutability, []string, error) {
	if m == "" {
		m = ecr.ImageTagMutabilityMutable
	}
	excludes := strings.HasSuffix(string(m), "_WITH_EXCLUSION")
	if excludes != (len(filters) > 0) {
		if excludes {
			return "", nil, invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'must be specified when imageTagMutability is %s'", m)
		}
		return "", nil, invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'must not be specified when imageTagMutability is %s'", m)
	}
	var exclusions []string
	for _, f := range filters {
		if strings.Count(member.Value(f.Filter), "*") > 2 {
			return "", nil, invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'a filter can have at most two wildcards'")
		}
		exclusions = append(exclusions, member.Value(f.Filter))
	}
	return image.Mutability(m), exclusions, nil
}

func (a *API) describeRepositories(_ context.Context, call *gateway.Call, in *ecr.DescribeRepositoriesRequest) (*ecr.DescribeRepositoriesResponse, error) {
	scope, v := a.registry(call, in.RegistryId), a.store.View()
	var found []*image.Repository
	for _, name := range in.RepositoryNames {
		r, err := a.find(v, call, in.RegistryId, &name)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	if in.RepositoryNames == nil {
		for r := range store.Repositories.Prefix(v, image.RepositoryARN(scope, "")) {
			found = append(found, r)
		}
	}
	shown, next, err := page(found, func(r **image.Repository) string { return (*r).Name }, in.NextToken, in.MaxResults, maxPage)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeRepositoriesResponse{Repositories: []ecr.Repository{}, NextToken: next}
	for _, r := range shown {
		out.Repositories = append(out.Repositories, *a.show(call, r))
	}
	return out, nil
}

// deleteRepository removes the record first: from then on the gate lets no push
// in. What a crash leaves in the registry is purged when the name is used again.
func (a *API) deleteRepository(ctx context.Context, call *gateway.Call, in *ecr.DeleteRepositoryRequest) (*ecr.DeleteRepositoryResponse, error) {
	r, err := a.find(a.store.View(), call, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !member.Value(in.Force) {
		images, err := a.images.Images(ctx, place(r))
		if err != nil {
			return nil, asFault(err, r)
		}
		if len(images) > 0 {
			return nil, fault.New(fault.RepositoryNotEmpty, "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", r.Name, r.Scope.Account).
				WithHint("add --force to delete its images too")
		}
	}
	_, err = a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := a.find(tx, call, in.RegistryId, in.RepositoryName)
		if err != nil {
			return err
		}
		r = have
		store.Repositories.Delete(tx, have.ARN)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := a.images.Purge(ctx, place(r)); err != nil {
		return nil, asFault(err, r)
	}
	return &ecr.DeleteRepositoryResponse{Repository: a.show(call, r)}, nil
}

// show is a repository as the API has it.
func (a *API) show(call *gateway.Call, r *image.Repository) *ecr.Repository {
	return &ecr.Repository{
		RepositoryArn: &r.ARN, RegistryId: &r.Scope.Account, RepositoryName: &r.Name,
		RepositoryUri:                      new(a.uri(call, r)),
		CreatedAt:                          member.Time(r.CreatedAt),
		ImageTagMutability:                 ecr.ImageTagMutability(r.Mutability),
		ImageTagMutabilityExclusionFilters: showExclusions(r.Exclusions),
		ImageScanningConfiguration:         &ecr.ImageScanningConfiguration{ScanOnPush: &r.ScanOnPush},
		EncryptionConfiguration:            &ecr.EncryptionConfiguration{EncryptionType: ecr.EncryptionType(r.Encryption.Type), KmsKey: member.Present(r.Encryption.KMSKey)},
	}
}

func showExclusions(filters []string) []ecr.ImageTagMutabilityExclusionFilter {
	var shown []ecr.ImageTagMutabilityExclusionFilter
	for _, f := range filters {
		shown = append(shown, ecr.ImageTagMutabilityExclusionFilter{FilterType: ecr.ImageTagMutabilityExclusionFilterTypeWildcard, Filter: &f})
	}
	return shown
}
