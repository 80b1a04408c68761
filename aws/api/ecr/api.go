// Package ecr answers the operations of Amazon ECR: repositories and their
// settings from the store, images and layers from the registry.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html
package ecr

import (
	"context"
	"net/url"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/store"
)

// Images is the registry. Errors wrap those of domain/image.
type Images interface {
	Images(ctx context.Context, p image.Place) ([]image.Stored, error)
	Manifest(ctx context.Context, p image.Place, version string) (image.Manifest, error)
	PutManifest(ctx context.Context, p image.Place, version string, m image.Manifest, immutable bool) error
	Delete(ctx context.Context, p image.Place, version string) error
	Purge(ctx context.Context, p image.Place) error

	LayerSize(ctx context.Context, p image.Place, digest string) (int64, error)
	StartUpload(ctx context.Context, p image.Place) (id string, err error)
	AppendUpload(ctx context.Context, p image.Place, id string, first int64, part []byte) (size int64, err error)
	FinishUpload(ctx context.Context, p image.Place, id, digest string) error
}

// Tokens makes what clients show the registry.
type Tokens interface {
	// Issue makes a token for everything the principal may do.
	Issue(who identity.Principal, accessKeyID string, now, sessionEnd time.Time) (token string, expires time.Time)
	// IssueLayer makes a token that reads one layer, for an hour.
	IssueLayer(who identity.Principal, accessKeyID string, p image.Place, digest string, now time.Time) string
}

// Config is what the API is built from.
type Config struct {
	Store  store.Store
	Images Images
	Tokens Tokens
	Home   string // the region whose repositories have short URIs

	// Endpoint is berth's address in repositoryUri and proxyEndpoint,
	// http://127.0.0.1:4566. Empty means the one each caller used.
	Endpoint string
}

// API answers ECR.
type API struct {
	store    store.Store
	images   Images
	tokens   Tokens
	home     string
	endpoint string
}

// New makes the API.
func New(c Config) *API {
	return &API{store: c.Store, images: c.Images, tokens: c.Tokens, home: c.Home, endpoint: c.Endpoint}
}

// Operations are the handlers by operation name. What is not here is not
// supported yet, and the gateway says so.
func (a *API) Operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"GetAuthorizationToken": gateway.Handle(a.getAuthorizationToken),
		"DescribeRegistry":      gateway.Handle(a.describeRegistry),

		"CreateRepository":     gateway.Handle(a.createRepository),
		"DescribeRepositories": gateway.Handle(a.describeRepositories),
		"DeleteRepository":     gateway.Handle(a.deleteRepository),

		"PutImageTagMutability":         gateway.Handle(a.putImageTagMutability),
		"PutImageScanningConfiguration": gateway.Handle(a.putImageScanningConfiguration),
		"SetRepositoryPolicy":           gateway.Handle(a.setRepositoryPolicy),
		"GetRepositoryPolicy":           gateway.Handle(a.getRepositoryPolicy),
		"DeleteRepositoryPolicy":        gateway.Handle(a.deleteRepositoryPolicy),

		"PutLifecyclePolicy":          gateway.Handle(a.putLifecyclePolicy),
		"GetLifecyclePolicy":          gateway.Handle(a.getLifecyclePolicy),
		"DeleteLifecyclePolicy":       gateway.Handle(a.deleteLifecyclePolicy),
		"StartLifecyclePolicyPreview": gateway.Handle(a.startLifecyclePolicyPreview),
		"GetLifecyclePolicyPreview":   gateway.Handle(a.getLifecyclePolicyPreview),

		"TagResource":         gateway.Handle(a.tagResource),
		"UntagResource":       gateway.Handle(a.untagResource),
		"ListTagsForResource": gateway.Handle(a.listTagsForResource),

		"ListImages":       gateway.Handle(a.listImages),
		"DescribeImages":   gateway.Handle(a.describeImages),
		"BatchGetImage":    gateway.Handle(a.batchGetImage),
		"BatchDeleteImage": gateway.Handle(a.batchDeleteImage),
		"PutImage":         gateway.Handle(a.putImage),

		"BatchCheckLayerAvailability": gateway.Handle(a.batchCheckLayerAvailability),
		"GetDownloadUrlForLayer":      gateway.Handle(a.getDownloadURLForLayer),
		"InitiateLayerUpload":         gateway.Handle(a.initiateLayerUpload),
		"UploadLayerPart":             gateway.Handle(a.uploadLayerPart),
		"CompleteLayerUpload":         gateway.Handle(a.completeLayerUpload),
	}
}

// registry is the account and region a request means. Whether the caller may reach
// into another account's was asked before.
func (a *API) registry(call *gateway.Call, registryID *string) arn.Scope {
	if registryID == nil {
		return call.Scope
	}
	return arn.Scope{Account: *registryID, Region: call.Scope.Region}
}

// find looks up the repository a request names.
func (a *API) find(r store.Reader, call *gateway.Call, registryID, name *string) (*image.Repository, error) {
	scope := a.registry(call, registryID)
	repository, ok := store.Repositories.Get(r, image.RepositoryARN(scope, member.Value(name)))
	if !ok {
		return nil, noRepository(scope, member.Value(name))
	}
	return repository, nil
}

// change puts a changed copy of a repository.
func (a *API) change(ctx context.Context, call *gateway.Call, registryID, name *string, change func(*image.Repository) error) (*image.Repository, error) {
	var next image.Repository
	_, err := a.store.Update(ctx, func(tx *store.Tx) error {
		have, err := a.find(tx, call, registryID, name)
		if err != nil {
			return err
		}
		next = *have
		if err := change(&next); err != nil {
			return err
		}
		store.Repositories.Put(tx, &next)
		return nil
	})
	return &next, err
}

func place(r *image.Repository) image.Place { return image.RepositoryPlace(r.Scope, r.Name) }

// reachedAt is berth's address as answers show it.
func (a *API) reachedAt(call *gateway.Call) string {
	if a.endpoint != "" {
		return a.endpoint
	}
	return call.Endpoint
}

// uri is the repositoryUri: our host, and the repository's public path.
func (a *API) uri(call *gateway.Call, r *image.Repository) string {
	endpoint, err := url.Parse(a.reachedAt(call))
	if err != nil {
		return ""
	}
	return endpoint.Host + "/" + place(r).PublicPath(a.home)
}
