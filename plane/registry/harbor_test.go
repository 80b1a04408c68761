package registry_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/plane/registry"
)

var scope = arn.Scope{Account: "000000000000", Region: "us-east-1"}

// shelf is the record of repositories that a store keeps in a whole berth.
type shelf struct {
	mu   sync.Mutex
	kept map[string]*image.Repository
}

func (s *shelf) Repository(arn string) (*image.Repository, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.kept[arn]
	return r, ok
}

func (s *shelf) add(r image.Repository) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ARN = image.RepositoryARN(r.Scope, r.Name)
	s.kept[r.ARN] = &r
}

// harbor is a registry in this process behind a socket, and a gate in front of it.
type harbor struct {
	t      *testing.T
	root   string
	client *registry.Client
	shelf  *shelf
	tokens *registry.Tokens
	gate   *registry.Gate
	host   string // of the gate
	close  func() // of the registry
}

func newHarbor(t *testing.T, repositories ...string) *harbor {
	t.Helper()
	h := &harbor{t: t, root: t.TempDir()}
	h.serve(registry.Config{Root: h.root, Log: testLog(t)})
	h.shelf = &shelf{kept: map[string]*image.Repository{}}
	for _, r := range repositories {
		h.shelf.add(image.Repository{Scope: scope, Name: r, Mutability: image.Mutable})
	}
	var err error
	if h.tokens, err = registry.LoadTokens(filepath.Join(t.TempDir(), "token.key")); err != nil {
		t.Fatal(err)
	}
	h.gate.Tokens, h.gate.Repositories = h.tokens, h.shelf
	front := httptest.NewServer(h.gate)
	t.Cleanup(front.Close)
	h.host = strings.TrimPrefix(front.URL, "http://")
	return h
}

// serve opens the registry and puts it behind a new socket.
func (h *harbor) serve(c registry.Config) *registry.Registry {
	h.t.Helper()
	r, err := registry.Open(c)
	if err != nil {
		h.t.Fatal(err)
	}
	socket := filepath.Join(shortDir(h.t), "registry.sock")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx, socket) }()
	waitForSocket(h.t, socket)
	h.client = registry.NewClient(socket)
	if h.gate == nil {
		h.gate = &registry.Gate{Access: registry.OwnAccount{}, Home: scope.Region, Now: time.Now, Log: testLog(h.t)}
	}
	h.gate.Registry = registry.Proxy(socket, testLog(h.t))
	h.close = sync.OnceFunc(func() {
		stop()
		if err := <-served; err != nil {
			h.t.Error(err)
		}
		if err := r.Close(); err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(h.close)
	return r
}

func (h *harbor) token() string {
	token, _ := h.tokens.Issue(identity.RootPrincipal(scope.Account), "AKIATEST", time.Now(), time.Time{})
	return token
}

func (h *harbor) options() []remote.Option {
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: "AWS", Password: h.token()}),
		remote.WithRetryPredicate(func(error) bool { return false }), remote.WithRetryStatusCodes(),
	}
}

// ref names an image at the gate.
func (h *harbor) ref(image string) name.Reference {
	h.t.Helper()
	r, err := name.ParseReference(h.host+"/"+scope.Account+"/"+image, name.Insecure)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func place(repository string) image.Place { return image.RepositoryPlace(scope, repository) }

// waitForSocket returns once something serves the socket.
func waitForSocket(t *testing.T, socket string) {
	t.Helper()
	client := registry.NewClient(socket)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for client.Healthy(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("nothing serves %s", socket)
		}
	}
}

// shortDir is a folder whose path leaves room for a socket name (108 bytes).
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "reg") //nolint:usetesting // t.TempDir is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// get asks the gate for a path and returns status and body.
func (h *harbor) get(path string, change func(*http.Request)) (int, http.Header, string) {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+h.host+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func sha256Of(s string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(s))) }
