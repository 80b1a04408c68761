package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/domain/arn"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// harbour is a registry that asks for a password and counts the layers it sends.
func harbour(t *testing.T) (host string, blobs *atomic.Int64) {
	t.Helper()
	blobs = new(atomic.Int64)
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "AWS" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			blobs.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), blobs
}

func push(t *testing.T, where string, img v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(where, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: "AWS", Password: "secret"})); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func login(context.Context) (string, string, error) { return "AWS", "secret", nil }

func TestPull(t *testing.T) {
	r := runtimetest.Open(t)
	host, blobs := harbour(t)
	digest := push(t, host+"/000000000000/us-east-1/app:v1", runtimetest.BusyboxImage(t))
	p := image.Puller{Store: r.Images(), Registry: "http://" + host}
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	img, err := p.Pull(t.Context(), scope, "000000000000.dkr.ecr.us-east-1.amazonaws.com/app:v1", image.Logins{Own: login})
	if err != nil {
		t.Fatal(err)
	}
	if img.Digest != digest || !strings.HasSuffix(img.Name, "@"+digest) || img.Layers == "" || !slices.Equal(img.Config.Cmd, []string{"sh"}) {
		t.Errorf("%+v", img)
	}
	runs(t, r, img.Name)

	sent := blobs.Load()
	if _, err := p.Pull(t.Context(), scope, host+"/000000000000/app:v1", image.Logins{Own: login}); err != nil || blobs.Load() != sent {
		t.Errorf("pulled again %d blobs: %v", blobs.Load()-sent, err)
	}
	if _, err := p.Pull(t.Context(), scope, host+"/000000000000/app:v2", image.Logins{Own: login}); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("no such tag: %v", err)
	}
	if _, err := p.Pull(t.Context(), scope, host+"/000000000000/other:v1", image.Logins{}); err == nil || !strings.Contains(err.Error(), "401") && !strings.Contains(err.Error(), "authorization") {
		t.Errorf("no password: %v", err)
	}

	gone := image.Puller{Store: r.Images(), Registry: "http://127.0.0.1:1", Hosts: []string{host}}
	if img, err := gone.Pull(t.Context(), scope, host+"/000000000000/app:v1", image.Logins{Own: login}); err != nil || img.Digest != digest {
		t.Errorf("registry away: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := gone.Pull(short, scope, host+"/000000000000/app:v3", image.Logins{Own: login}); err == nil || errors.Is(err, image.ErrNotFound) {
		t.Errorf("registry away, nothing here: %v", err)
	}
}

// Our own registry is waited for while its processes start again.
func TestPullWaitsForOurRegistry(t *testing.T) {
	r := runtimetest.Open(t)
	host, _ := harbour(t)
	digest := push(t, host+"/000000000000/us-east-1/app:v1", runtimetest.BusyboxImage(t))
	there := time.Now().Add(2 * time.Second)
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if time.Now().Before(there) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	p := image.Puller{Store: r.Images(), Registry: front.URL}
	img, err := p.Pull(t.Context(), arn.Scope{Account: "000000000000", Region: "us-east-1"}, "000000000000.dkr.ecr.us-east-1.amazonaws.com/app:v1", image.Logins{Own: login})
	if err != nil || img.Digest != digest {
		t.Errorf("%+v %v", img, err)
	}
}

func runs(t *testing.T, r *runtime.Runtime, name string) {
	t.Helper()
	c := runtime.Container{ID: "from-registry", Image: name, Args: []string{"/bin/true"}}
	if err := errors.Join(r.Create(t.Context(), c), r.Start(t.Context(), c.ID)); err != nil {
		t.Fatal(err)
	}
	if exit, err := r.Wait(t.Context(), c.ID); err != nil || exit.Code != 0 {
		t.Errorf("%+v %v", exit, err)
	}
	if err := r.Delete(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
}

func TestSweepKeepsWhatIsUsed(t *testing.T) {
	r := runtimetest.Open(t)
	used := runtimetest.Busybox(t, r)
	other := runtimetest.Import(t, r, "test.invalid/other:latest", runtimetest.Image(t, v1.Config{}, []tar.Header{{Name: "x", Mode: 0o644}}, map[string][]byte{"x": []byte("y")}))
	if err := r.Create(t.Context(), runtime.Container{ID: "user", Image: used, Args: []string{"/bin/true"}}); err != nil {
		t.Fatal(err)
	}
	if gone, err := r.Images().Sweep(t.Context(), time.Now().Add(-time.Hour), nil); err != nil || len(gone) != 0 {
		t.Errorf("too new: %v %v", gone, err)
	}
	awaited, err := r.Images().Get(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := r.Images().Sweep(t.Context(), time.Now().Add(time.Hour), map[string]bool{awaited.Digest: true}); err != nil || len(gone) != 0 {
		t.Errorf("a container shall be made from it: %v %v", gone, err)
	}
	gone, err := r.Images().Sweep(t.Context(), time.Now().Add(time.Hour), nil)
	if err != nil || !slices.Equal(gone, []string{other}) {
		t.Errorf("swept %v %v", gone, err)
	}
	if _, err := r.Images().Get(t.Context(), used); err != nil {
		t.Error(err)
	}
	if _, err := r.Images().Get(t.Context(), other); !errors.Is(err, image.ErrNotFound) {
		t.Error(err)
	}
}

func TestBrokenArchives(t *testing.T) {
	r := runtimetest.Open(t)
	whole := runtimetest.Archive(t, "test.invalid/app:v1", runtimetest.Image(t, v1.Config{}, []tar.Header{{Name: "x", Mode: 0o644}}, map[string][]byte{"x": bytes.Repeat([]byte("y"), 10000)}))
	for name, data := range map[string][]byte{"empty": nil, "not a tar": []byte("hello"), "cut short": whole[:len(whole)/2]} {
		if _, err := r.Images().Import(t.Context(), bytes.NewReader(data), ""); err == nil || !strings.Contains(err.Error(), "read image archive") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := r.Images().List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v %v", list, err)
	}
}
