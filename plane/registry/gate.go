package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/image"
)

// Verifier tells whose a token is. Tokens is one.
type Verifier interface {
	Verify(token string, now time.Time) (Grant, error)
}

// Repositories knows which ECR repositories there are.
type Repositories interface {
	// Repository finds one by ARN.
	Repository(arn string) (*image.Repository, bool)
}

// Access decides who may do what to a repository.
type Access interface {
	// Allow is nil when the holder of a token may do the action (an IAM action of ECR,
	// such as ecr:PutImage) to the resource (an ARN) now, else an error for the
	// caller's eyes.
	Allow(ctx context.Context, grant Grant, action, resource string) error
}

// Keys tells whether an access key still works; a token ends with the key that
// asked for it.
type Keys interface {
	Active(accessKeyID string, now time.Time) bool
}

// Gate lets clients at a registry: docker, containerd, crane, skopeo, and berth's
// own agents. Nobody is let in without a token of GetAuthorizationToken.
type Gate struct {
	Registry     http.Handler // what is behind the gate: Proxy(socket), or a *Registry
	Tokens       Verifier
	Repositories Repositories
	Access       Access
	Keys         Keys   // nil: tokens last their time, whatever becomes of their key
	Home         string // the region of short repository paths
	Now          func() time.Time
	Log          *slog.Logger
}

func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if err := g.pass(w, r); err != nil {
		var refused *refusal
		if !errors.As(err, &refused) {
			refused = refuse(http.StatusForbidden, "DENIED", "%v", err)
		}
		if refused.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="%s://%s/",service="ecr.amazonaws.com"`, scheme(r), r.Host))
		}
		refused.write(w)
	}
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// pass checks one request and hands it on, or says why not.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request) error {
	grant, err := g.authenticate(r)
	if err != nil {
		return err
	}
	to := parseRoute(r.URL.Path)
	if to.kind == baseKind && grant.Only == "" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}\n"))
		return nil
	}
	place, err := g.place(to, r.Host)
	if err != nil {
		return err
	}
	if grant.Only != "" && (r.Method != http.MethodGet || to.path(place.Path()) != grant.Only) {
		return refuse(http.StatusForbidden, "DENIED", "this token reads one layer of a repository and nothing else")
	}
	repository, err := g.allowed(r, grant, to, place)
	if err != nil {
		return err
	}
	inside := g.rewrite(r, grant, to, place, repository)
	g.Registry.ServeHTTP(&renamer{ResponseWriter: w, from: "/v2/" + place.Path() + "/", to: "/v2/" + to.name + "/"}, inside)
	return nil
}

func (g *Gate) authenticate(r *http.Request) (Grant, error) {
	user, token, ok := r.BasicAuth()
	if !ok || user != "AWS" {
		return Grant{}, refuse(http.StatusUnauthorized, "UNAUTHORIZED",
			"no basic auth credentials of user AWS: log in with the password of `aws ecr get-login-password` (or of `berth aws ecr get-login-password`)")
	}
	now := g.Now()
	grant, err := g.Tokens.Verify(token, now)
	if errors.Is(err, ErrTokenExpired) || err == nil && g.Keys != nil && !g.Keys.Active(grant.AccessKeyID, now) {
		return Grant{}, refuse(http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
	}
	if err != nil {
		return Grant{}, refuse(http.StatusUnauthorized, "UNAUTHORIZED", "Your Authorization Token is invalid.")
	}
	return grant, nil
}

// place finds the repository that a path means. Under one of AWS's registry host
// names, the path is the repository's name alone.
func (g *Gate) place(to route, host string) (image.Place, error) {
	if !to.valid() {
		return image.Place{}, refuse(http.StatusNotFound, "NAME_INVALID", "this is not a path of the registry protocol: /v2/ACCOUNT/NAME/manifests/TAG, for example, with a lower case name")
	}
	if scope, ok := image.ParseECRHost(host); ok {
		return image.RepositoryPlace(scope, to.name), nil
	}
	place, ok := image.ParsePath(to.name, g.Home)
	if !ok {
		return image.Place{}, refuse(http.StatusNotFound, "NAME_UNKNOWN",
			"'%s' does not begin with an account: a repository of berth is named HOST/ACCOUNT/NAME, as repositoryUri of `aws ecr describe-repositories` shows it", to.name)
	}
	return place, nil
}

// allowed finds the record of the repository (nil for loaded images, which need
// none) and asks whether the holder of the grant may.
func (g *Gate) allowed(r *http.Request, grant Grant, to route, place image.Place) (*image.Repository, error) {
	action := action(r.Method, to)
	if action == "" {
		return nil, refuse(http.StatusMethodNotAllowed, "UNSUPPORTED", "%s is not supported here: the registry deletes images, and their layers by itself", r.Method)
	}
	if err := g.Access.Allow(r.Context(), grant, action, g.resource(place)); err != nil {
		return nil, refuse(http.StatusForbidden, "DENIED", "%v", err)
	}
	if place.Loaded {
		return nil, nil
	}
	repository, ok := g.Repositories.Repository(image.RepositoryARN(place.Scope, place.Name))
	if !ok {
		return nil, refuse(http.StatusNotFound, "NAME_UNKNOWN",
			"The repository with name '%s' does not exist in the registry with id '%s'", place.Name, place.Scope.Account)
	}
	return repository, nil
}

// resource is the ARN that policies name.
func (g *Gate) resource(p image.Place) string {
	if p.Loaded {
		return arn.Scope{Account: p.Scope.Account, Region: g.Home}.Of("ecr", "loaded/"+p.Name)
	}
	return image.RepositoryARN(p.Scope, p.Name)
}

// rewrite makes the request that goes inside: under the place's one path, with no
// credentials and none of our headers but our own.
func (g *Gate) rewrite(r *http.Request, grant Grant, to route, place image.Place, repository *image.Repository) *http.Request {
	inside := r.Clone(r.Context())
	inside.URL.Path = to.path(place.Path())
	inside.URL.RawPath = ""
	for _, name := range []string{"Authorization", "Cookie", headerImmutable, headerPublicName} {
		inside.Header.Del(name)
	}
	inside.Header.Set(headerPublicName, to.name)
	if repository != nil && to.kind == manifestKind && repository.TagIsImmutable(to.ref) {
		inside.Header.Set(headerImmutable, "1")
	}
	if to.kind == uploadKind && r.Method == http.MethodPost {
		g.rewriteMount(inside, grant)
	}
	return inside
}

// rewriteMount names the source of a cross-repository mount as it is named inside,
// or takes the wish out of the request, so that the client sends the layer: the
// protocol's answer when the source cannot be read.
func (g *Gate) rewriteMount(inside *http.Request, grant Grant) {
	query := inside.URL.Query()
	from := query.Get("from")
	if from == "" {
		return
	}
	query.Del("from")
	source := route{kind: blobKind, name: from, ref: query.Get("mount")}
	if place, err := g.place(source, inside.Host); err == nil {
		read := inside.Clone(inside.Context())
		read.Method = http.MethodGet
		if _, err := g.allowed(read, grant, source, place); err == nil {
			query.Set("from", place.Path())
		}
	}
	if query.Get("from") == "" {
		query.Del("mount")
	}
	inside.URL.RawQuery = query.Encode()
}

// action is the IAM action of a request; empty when there is none to allow.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
func action(method string, to route) string {
	actions := map[kind]map[string]string{
		manifestKind: {
			http.MethodGet: "ecr:BatchGetImage", http.MethodHead: "ecr:BatchGetImage",
			http.MethodPut: "ecr:PutImage", http.MethodDelete: "ecr:BatchDeleteImage",
		},
		blobKind: {http.MethodGet: "ecr:GetDownloadUrlForLayer", http.MethodHead: "ecr:BatchCheckLayerAvailability"},
		uploadKind: {
			http.MethodPost: "ecr:InitiateLayerUpload", http.MethodPatch: "ecr:UploadLayerPart", http.MethodPut: "ecr:CompleteLayerUpload",
			http.MethodGet: "ecr:UploadLayerPart", http.MethodHead: "ecr:UploadLayerPart", http.MethodDelete: "ecr:UploadLayerPart",
		},
		tagsKind:      {http.MethodGet: "ecr:ListImages"},
		referrersKind: {http.MethodGet: "ecr:BatchGetImage"},
	}
	return actions[to.kind][method]
}
