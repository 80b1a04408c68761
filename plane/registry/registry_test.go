package registry_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/plane/registry"
)

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(100_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, img interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func (h *harbor) push(img v1.Image, to string) {
	h.t.Helper()
	if err := remote.Write(h.ref(to), img, h.options()...); err != nil {
		h.t.Fatalf("push %s: %v", to, err)
	}
}

func (h *harbor) images(repository string) []image.Stored {
	h.t.Helper()
	images, err := h.client.Images(h.t.Context(), place(repository))
	if err != nil {
		h.t.Fatal(err)
	}
	return images
}

func TestPushAndPull(t *testing.T) {
	h := newHarbor(t, "team/app")
	before := time.Now().Add(-2 * time.Second)
	img := randomImage(t)
	h.push(img, "team/app:v1")
	h.push(img, "team/app:latest")

	back, err := remote.Image(h.ref("team/app:v1"), h.options()...)
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(t, back) != digestOf(t, img) {
		t.Errorf("pulled %s, pushed %s", digestOf(t, back), digestOf(t, img))
	}
	layers, err := back.Layers()
	if err != nil || len(layers) != 3 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	for _, l := range layers {
		if _, err := l.DiffID(); err != nil { // reads the whole layer
			t.Errorf("layer does not read back: %v", err)
		}
	}

	images := h.images("team/app")
	if len(images) != 1 {
		t.Fatalf("%d images listed: %+v", len(images), images)
	}
	got := images[0]
	if got.Digest != digestOf(t, img) || !slices.Equal(got.Tags, []string{"latest", "v1"}) {
		t.Errorf("listed %+v", got)
	}
	if got.Size < 300_000 || got.PushedAt.Before(before) || got.PushedAt.After(time.Now().Add(time.Second)) {
		t.Errorf("size %d, pushed at %v", got.Size, got.PushedAt)
	}
	if !strings.Contains(got.MediaType, "manifest.v2+json") || !strings.Contains(got.ArtifactType, "container.image.v1+json") {
		t.Errorf("media types %s and %s", got.MediaType, got.ArtifactType)
	}
}

func TestIndexListsItsImages(t *testing.T) {
	h := newHarbor(t, "multi")
	index, err := random.Index(1000, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(h.ref("multi:v1"), index, h.options()...); err != nil {
		t.Fatal(err)
	}
	images := h.images("multi")
	if len(images) != 3 {
		t.Fatalf("%d images", len(images))
	}
	for _, i := range images {
		if tagged := len(i.Tags) == 1; tagged != (len(i.Children) == 2) {
			t.Errorf("tags and children of %+v", i)
		}
	}
}

func TestTagsAreListedInPages(t *testing.T) {
	h := newHarbor(t, "app", "empty")
	img := randomImage(t)
	want := []string{"a", "b", "c", "d", "e"}
	for _, tag := range want {
		h.push(img, "app:"+tag)
	}
	got, err := remote.List(h.ref("app").Context(), append(h.options(), remote.WithPageSize(2))...)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("tags %v, %v", got, err)
	}
	if got, err := remote.List(h.ref("empty").Context(), h.options()...); err != nil || len(got) != 0 {
		t.Errorf("tags of an empty repository: %v, %v", got, err)
	}
	_, _, body := h.get("/v2/000000000000/app/tags/list", h.login)
	if !strings.Contains(body, `"name":"000000000000/app"`) {
		t.Errorf("the list does not carry the name it was asked by: %s", body)
	}
}

func (h *harbor) login(r *http.Request) { r.SetBasicAuth("AWS", h.token()) }

func TestUnknownRepositoryIsNamedAsECRNamesIt(t *testing.T) {
	h := newHarbor(t, "known")
	err := remote.Write(h.ref("other:v1"), randomImage(t), h.options()...)
	want := "NAME_UNKNOWN: The repository with name 'other' does not exist in the registry with id '000000000000'"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	_, err = remote.Image(h.ref("other:v1"), h.options()...)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyEntersWithoutAToken(t *testing.T) {
	h := newHarbor(t, "app")
	now := time.Now()
	root := identity.RootPrincipal(scope.Account)
	old, _ := h.tokens.Issue(root, "AKIA", now.Add(-registry.TokenLife-time.Second), time.Time{})
	session, _ := h.tokens.Issue(root, "ASIA", now.Add(-time.Hour), now.Add(-time.Second))
	other, err := registry.NewTokens(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	forged, _ := other.Issue(root, "AKIA", now, time.Time{})
	good := h.token()
	h.gate.Keys = inactive("AKIAGONE")
	gone, _ := h.tokens.Issue(root, "AKIAGONE", now, time.Time{})
	for _, c := range []struct {
		what, user, token string
		status            int
		says              string
	}{
		{"none", "", "", 401, "get-login-password"},
		{"another user", "admin", good, 401, "get-login-password"},
		{"nonsense", "AWS", "secret", 401, "Authorization Token is invalid"},
		{"cut short", "AWS", good[:len(good)-4], 401, "Authorization Token is invalid"},
		{"signed by others", "AWS", forged, 401, "Authorization Token is invalid"},
		{"old", "AWS", old, 403, "authorization token has expired"},
		{"of an ended session", "AWS", session, 403, "authorization token has expired"},
		{"of a deleted key", "AWS", gone, 403, "authorization token has expired"},
		{"good", "AWS", good, 200, "{}"},
	} {
		status, header, body := h.get("/v2/", func(r *http.Request) {
			if c.user != "" {
				r.SetBasicAuth(c.user, c.token)
			}
		})
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
		if challenged := header.Get("WWW-Authenticate") != ""; challenged != (status == 401) {
			t.Errorf("%s: challenge %q with %d", c.what, header.Get("WWW-Authenticate"), status)
		}
	}
}

type inactive string

func (i inactive) Active(key string, _ time.Time) bool { return key != string(i) }

func TestAnotherAccountIsRefused(t *testing.T) {
	h := newHarbor(t, "app")
	h.push(randomImage(t), "app:v1")
	token, _ := h.tokens.Issue(identity.RootPrincipal("999999999999"), "AKIA", time.Now(), time.Time{})
	status, _, body := h.get("/v2/000000000000/app/manifests/v1", func(r *http.Request) { r.SetBasicAuth("AWS", token) })
	if status != 403 || !strings.Contains(body, "is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:000000000000:repository/app") {
		t.Errorf("%d %s", status, body)
	}
}

func TestPathsOutsideTheProtocolAreRefused(t *testing.T) {
	h := newHarbor(t, "app")
	for _, path := range []string{
		"/v2/_catalog", "/v2/app/manifests/v1", "/v2/000000000000/../app/manifests/v1", "/v2/000000000000/app/manifests/a%2fb",
		"/v2/000000000000/app/blobs/sha256:12", "/inside/images/000000000000/us-east-1/app", "/v2/000000000000/App/tags/list",
	} {
		if status, _, body := h.get(path, h.login); status != 404 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestImmutableTagStays(t *testing.T) {
	h := newHarbor(t)
	h.shelf.add(image.Repository{Scope: scope, Name: "app", Mutability: image.ImmutableWithExclusion, Exclusions: []string{"latest"}})
	first, second := randomImage(t), randomImage(t)
	h.push(first, "app:v1")
	h.push(first, "app:v1") // the same image again is not a move
	h.push(first, "app:latest")
	h.push(second, "app:latest")
	err := remote.Write(h.ref("app:v1"), second, h.options()...)
	if err == nil || !strings.Contains(err.Error(), "TAG_INVALID: The image tag 'v1' already exists in the '000000000000/app' repository and cannot be overwritten because the tag is immutable.") {
		t.Errorf("moved, or: %v", err)
	}
	back, err := remote.Image(h.ref("app:v1"), h.options()...)
	if err != nil || digestOf(t, back) != digestOf(t, first) {
		t.Errorf("v1 is now another image (%v)", err)
	}
}

// Clients cannot speak the gate's own headers.
func TestClientsCannotNameHeaders(t *testing.T) {
	h := newHarbor(t, "app")
	h.push(randomImage(t), "app:v1")
	_, _, body := h.get("/v2/000000000000/app/tags/list", func(r *http.Request) {
		h.login(r)
		r.Header.Set("Berth-Public-Name", "spoofed")
	})
	if strings.Contains(body, "spoofed") {
		t.Error(body)
	}
}

func TestMountsLayersAcrossRepositories(t *testing.T) {
	h := newHarbor(t, "from", "to")
	img := randomImage(t)
	h.push(img, "from:v1")
	source, err := remote.Image(h.ref("from:v1"), h.options()...)
	if err != nil {
		t.Fatal(err)
	}
	counter := &counter{inner: http.DefaultTransport}
	err = remote.Write(h.ref("to:v1"), source, append(h.options(), remote.WithTransport(counter))...)
	if err != nil {
		t.Fatal(err)
	}
	if len(counter.layerBytes) != 0 {
		t.Errorf("layers were sent again: %v", counter.layerBytes)
	}
	if got := h.images("to"); len(got) != 1 || got[0].Digest != digestOf(t, img) {
		t.Errorf("listed %+v", got)
	}
}

// counter notes the requests that carry a layer's bytes.
type counter struct {
	inner      http.RoundTripper
	layerBytes []string
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		c.layerBytes = append(c.layerBytes, r.URL.Path)
	}
	return c.inner.RoundTrip(r)
}

// A layer of another account cannot be had by asking to mount it.
func TestMountNeedsTheSource(t *testing.T) {
	h := newHarbor(t, "secret", "mine")
	other := scope
	other.Account = "999999999999"
	h.shelf.add(image.Repository{Scope: other, Name: "mine"})
	img := randomImage(t)
	h.push(img, "secret:v1")
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	token, _ := h.tokens.Issue(identity.RootPrincipal(other.Account), "AKIA", time.Now(), time.Time{})
	url := "http://" + h.host + "/v2/999999999999/mine/blobs/uploads/?mount=" + digestOf(t, layers[0]) + "&from=000000000000/secret"
	req, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("AWS", token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted || !strings.HasPrefix(answer.Header.Get("Location"), "/v2/999999999999/mine/blobs/uploads/") {
		t.Errorf("%s, upload at %s", answer.Status, answer.Header.Get("Location"))
	}
}

func TestDelete(t *testing.T) {
	h := newHarbor(t, "app")
	first, second := randomImage(t), randomImage(t)
	h.push(first, "app:v1")
	h.push(first, "app:stable")
	h.push(second, "app:v2")
	if err := remote.Delete(h.ref("app:stable"), h.options()...); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(h.ref("app@"+digestOf(t, second)), h.options()...); err != nil {
		t.Fatal(err)
	}
	images := h.images("app")
	if len(images) != 1 || !slices.Equal(images[0].Tags, []string{"v1"}) {
		t.Errorf("left: %+v", images)
	}
	h.push(second, "app:v2") // and it can come back
	if images := h.images("app"); len(images) != 2 {
		t.Errorf("after pushing again: %+v", images)
	}
	if err := h.client.Purge(t.Context(), place("app")); err != nil {
		t.Fatal(err)
	}
	if images := h.images("app"); len(images) != 0 {
		t.Errorf("after purge: %+v", images)
	}
}

// AWS's own host names work where they lead here, with the repository's name as
// the whole path.
func TestUnderAnECRHostName(t *testing.T) {
	h := newHarbor(t, "team/app")
	img := randomImage(t)
	h.push(img, "team/app:v1")
	status, _, body := h.get("/v2/team/app/manifests/v1", func(r *http.Request) {
		h.login(r)
		r.Host = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
	})
	if status != 200 || !strings.Contains(body, "layers") {
		t.Errorf("%d %s", status, body)
	}
}

func TestFolderHasOneProcess(t *testing.T) {
	h := newHarbor(t)
	if _, err := registry.Open(registry.Config{Root: h.root}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("opened twice: %v", err)
	}
}

func TestImagesSurviveARestart(t *testing.T) {
	h := newHarbor(t, "app")
	img := randomImage(t)
	h.push(img, "app:v1")
	h.close()
	status, _, body := h.get("/v2/000000000000/app/manifests/v1", h.login)
	if status != 503 || !strings.Contains(body, "storage process does not answer") {
		t.Errorf("while it is away: %d %s", status, body)
	}
	h.serve(registry.Config{Root: h.root})
	if got := h.images("app"); len(got) != 1 || got[0].Digest != digestOf(t, img) {
		t.Errorf("after restart: %+v", got)
	}
}

func TestLayerUploadInParts(t *testing.T) {
	h := newHarbor(t, "app")
	ctx, p := context.Background(), place("app")
	data := strings.Repeat("0123456789", 1000)
	id, err := h.client.StartUpload(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	for first := 0; first < len(data); first += 4000 {
		n, err := h.client.AppendUpload(ctx, p, id, int64(first), []byte(data[first:min(first+4000, len(data))]))
		if err != nil || n != int64(min(first+4000, len(data))) {
			t.Fatalf("part at %d: %d, %v", first, n, err)
		}
	}
	if _, err := h.client.AppendUpload(ctx, p, id, 7, []byte("x")); err == nil {
		t.Error("a part with a gap was taken")
	}
	digest := sha256Of(data)
	if err := h.client.FinishUpload(ctx, p, id, digest); err != nil {
		t.Fatal(err)
	}
	if size, err := h.client.LayerSize(ctx, p, digest); err != nil || size != int64(len(data)) {
		t.Errorf("size %d, %v", size, err)
	}
}
