package ecr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/aws/api/ecr"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecr"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

var scope = gatewaytest.Scope

// object is JSON as a client sees it.
type object = map[string]any

// server is ECR on a real socket, with a registry behind the same one.
type server struct {
	*gatewaytest.Server
	t      testing.TB
	tokens *registry.Tokens
	client *registry.Client
}

type repositories struct{ store store.Store }

func (r repositories) Repository(arn string) (*image.Repository, bool) {
	return store.Repositories.Get(r.store.View(), arn)
}

func start(t testing.TB) *server {
	t.Helper()
	s := &server{t: t}
	socket := s.serveRegistry()
	var err error
	if s.tokens, err = registry.LoadTokens(filepath.Join(t.TempDir(), "token.key")); err != nil {
		t.Fatal(err)
	}
	s.client = registry.NewClient(socket)
	gate := &registry.Gate{
		Registry: registry.Proxy(socket, discard()), Tokens: s.tokens, Access: registry.OwnAccount{}, Home: scope.Region, Now: time.Now, Log: discard(),
	}
	inner := http.NewServeMux()
	inner.Handle("/v2/", gate)
	s.Server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		gate.Repositories = repositories{st}
		api := ecr.New(ecr.Config{Store: st, Images: s.client, Tokens: s.tokens, Home: scope.Region})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, func(o *gateway.Options) { o.Inner = inner })
	return s
}

func (s *server) serveRegistry() (socket string) {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "ecr") // short: a socket's path has at most 107 bytes
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := registry.Open(registry.Config{Root: filepath.Join(dir, "images")})
	if err != nil {
		s.t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, socket) }()
	s.t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, r.Close(), os.RemoveAll(dir)); err != nil {
			s.t.Error(err)
		}
	})
	patience, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for registry.NewClient(socket).Healthy(patience) != nil {
		select {
		case <-tick.C:
		case <-patience.Done():
			s.t.Fatal("the registry does not answer")
		}
	}
	return socket
}

// call sends an operation as the administrator. body is JSON text.
func (s *server) call(operation, body string) (out object, kind string) {
	s.t.Helper()
	return s.callAs(s.Root, operation, body)
}

// as expects success of a call with another key.
func (s *server) as(key identity.AccessKey, operation, body string) object {
	s.t.Helper()
	out, kind := s.callAs(key, operation, body)
	if kind != "" {
		s.t.Fatalf("%s(%s): %s: %v", operation, body, kind, out["message"])
	}
	return out
}

func (s *server) callAs(key identity.AccessKey, operation, body string) (out object, kind string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
	if err := sigv4.Sign(r, []byte(body), sigv4.Keys{ID: key.ID, Secret: key.Secret, Token: key.SessionToken}, "ecr", scope.Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		s.t.Fatalf("%s answered %d %q: %v", operation, reply.StatusCode, data, err)
	}
	kind, _ = out["__type"].(string)
	return out, kind[strings.LastIndexByte(kind, '#')+1:]
}

// do expects success.
func (s *server) do(operation, body string, args ...any) object {
	s.t.Helper()
	body = fmt.Sprintf(body, args...)
	out, kind := s.call(operation, body)
	if kind != "" {
		s.t.Fatalf("%s(%s): %s: %v", operation, body, kind, out["message"])
	}
	return out
}

// refused expects an error whose message begins with the words.
func (s *server) refused(operation, body, kind, message string) {
	s.t.Helper()
	out, got := s.call(operation, body)
	text, _ := out["message"].(string)
	if got != kind || !strings.HasPrefix(text, message) {
		s.t.Errorf("%s(%s)\ngot  %s: %s\nwant %s: %s", operation, body, got, text, kind, message)
	}
}

// push puts an image into a repository as a client would.
func (s *server) push(to string, img v1.Image) string {
	s.t.Helper()
	ref, option := s.destination(to)
	return s.pushed(img, remote.Write(ref, img, option))
}

func (s *server) pushIndex(to string, index v1.ImageIndex) string {
	s.t.Helper()
	ref, option := s.destination(to)
	return s.pushed(index, remote.WriteIndex(ref, index, option))
}

func (s *server) destination(to string) (name.Reference, remote.Option) {
	s.t.Helper()
	token, _ := s.tokens.Issue(s.Root.Principal, s.Root.ID, time.Now(), time.Time{})
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://")+"/"+scope.Account+"/"+to, name.Insecure)
	if err != nil {
		s.t.Fatal(err)
	}
	return ref, remote.WithAuth(&authn.Basic{Username: "AWS", Password: token})
}

func (s *server) pushed(what interface{ Digest() (v1.Hash, error) }, err error) string {
	s.t.Helper()
	digest, digestErr := what.Digest()
	if err := errors.Join(err, digestErr); err != nil {
		s.t.Fatal(err)
	}
	return digest.String()
}

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(2000, 2)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// text writes a value as compact JSON, to compare.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
