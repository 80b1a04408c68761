package load_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/berthhq/berth/conformance/images"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/plane/registry/load"
)

const account = "000000000000"

type noRepositories struct{}

func (noRepositories) Repository(string) (*image.Repository, bool) { return nil, false }

// berth is a registry behind a gate, and what it holds.
type berth struct {
	t      *testing.T
	root   string
	client *registry.Client
	target load.Target
}

func newBerth(t *testing.T) *berth {
	t.Helper()
	b := &berth{t: t, root: t.TempDir()}
	inside, err := registry.Open(registry.Config{Root: b.root})
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := registry.NewTokens(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(b.socketFolder(), "s")
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- inside.Serve(ctx, socket) }()
	gate := httptest.NewServer(&registry.Gate{
		Registry: inside, Tokens: tokens, Repositories: noRepositories{}, Access: registry.OwnAccount{}, Home: "us-east-1", Now: time.Now,
	})
	t.Cleanup(func() {
		gate.Close()
		stop()
		if err := errors.Join(<-served, inside.Close()); err != nil {
			t.Error(err)
		}
	})
	password, _ := tokens.Issue(identity.RootPrincipal(account), "AKIA", time.Now(), time.Time{})
	b.client = registry.NewClient(socket)
	b.wait()
	b.target = load.Target{Endpoint: gate.URL, Account: account, Password: password}
	return b
}

// wait returns once the socket is served.
func (b *berth) wait() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.client.Healthy(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatal("the registry does not answer")
		}
	}
}

func (b *berth) socketFolder() string {
	dir, err := os.MkdirTemp("", "load")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// find looks for an image as an agent does: by the first source of its name.
func (b *berth) find(name string) (image.Manifest, error) {
	b.t.Helper()
	ref, err := image.ParseReference(name)
	if err != nil {
		b.t.Fatal(err)
	}
	source := image.Resolver{Scope: arn.Scope{Account: account, Region: "eu-west-1"}}.Resolve(ref)[0]
	return b.client.Manifest(b.t.Context(), source.Place, source.Version)
}

// blobs counts what the registry keeps.
func (b *berth) blobs() int {
	found, err := filepath.Glob(filepath.Join(b.root, "docker/registry/v2/blobs/sha256/*/*/data"))
	if err != nil {
		b.t.Fatal(err)
	}
	return len(found)
}

func hello(names ...string) images.Image {
	return images.Image{
		Names: names, Config: images.Config{Cmd: []string{"/hello"}},
		Files: []images.File{{Path: "/hello", Data: []byte("#!/bin/sh\necho hello\n")}, {Path: "/etc/motd", Data: bytes.Repeat([]byte("x"), 5000), Mode: 0o644}},
	}
}

func dockerArchive(t *testing.T, all ...images.Image) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := images.Write(file, all...); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoadDockerArchive(t *testing.T) {
	b := newBerth(t)
	file := dockerArchive(t, hello("hello:v1", "ghcr.io/team/hello:v2"), hello("other"))
	var last, total int64
	loaded, err := load.File(t.Context(), b.target, file, "", func(sent, of int64) { last, total = sent, of })
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range loaded {
		names = append(names, l.Name)
		m, err := b.find(l.Name)
		if err != nil || m.Digest != l.Digest {
			t.Errorf("%s: %+v, %v", l.Name, m, err)
		}
	}
	if got := strings.Join(names, " "); got != "hello:v1 ghcr.io/team/hello:v2 other:latest" {
		t.Errorf("loaded %s", got)
	}
	if last == 0 || last != total {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if _, err := b.find("other"); err != nil {
		t.Errorf("without a tag: %v", err)
	}
	if _, err := b.find("hello:v9"); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("a tag nobody loaded: %v", err)
	}
}

func TestLoadUnderAnotherName(t *testing.T) {
	b := newBerth(t)
	if _, err := load.File(t.Context(), b.target, dockerArchive(t, hello("hello:v1")), "mine:v7", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.find("mine:v7"); err != nil {
		t.Error(err)
	}
	if _, err := b.find("hello:v1"); !errors.Is(err, image.ErrNotFound) {
		t.Errorf("its own name: %v", err)
	}
	_, err := load.File(t.Context(), b.target, dockerArchive(t, hello("a:1"), hello("b:1")), "mine:v7", nil)
	if err == nil || !strings.Contains(err.Error(), "holds 2 images (a:1, b:1)") {
		t.Errorf("two images under one name: %v", err)
	}
	_, err = load.File(t.Context(), b.target, dockerArchive(t, hello()), "", nil)
	if err == nil || !strings.Contains(err.Error(), "give a NAME:TAG after the file") {
		t.Errorf("no name anywhere: %v", err)
	}
}

// tarFolder packs a folder as an archive.
func tarFolder(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layout.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	out := tar.NewWriter(f)
	if err := errors.Join(out.AddFS(os.DirFS(dir)), out.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

func ociLayout(t *testing.T, fill func(layout.Path) error) string {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(path); err != nil {
		t.Fatal(err)
	}
	return dir
}

func named(key, name string) layout.Option {
	return layout.WithAnnotations(map[string]string{key: name})
}

func TestLoadOCILayout(t *testing.T) {
	b := newBerth(t)
	img, err := random.Image(50_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := ociLayout(t, func(p layout.Path) error {
		return errors.Join(p.AppendImage(img, named("io.containerd.image.name", "docker.io/library/rnd:v1")),
			p.AppendImage(img, named("org.opencontainers.image.ref.name", "localhost/rnd:v2")))
	})
	loaded, err := load.File(t.Context(), b.target, tarFolder(t, dir), "", nil)
	if err != nil || len(loaded) != 2 {
		t.Fatalf("%+v, %v", loaded, err)
	}
	for _, name := range []string{"rnd:v1", "localhost/rnd:v2"} {
		if m, err := b.find(name); err != nil || m.Digest != want.String() {
			t.Errorf("%s: %s, %v", name, m.Digest, err)
		}
	}
}

// An index whose other platforms are not in the archive, as docker and containerd
// save what they pulled, gives the image for this machine.
func TestLoadIndexWithAbsentPlatforms(t *testing.T) {
	b := newBerth(t)
	ours, _ := random.Image(1000, 1)
	theirs, _ := random.Image(1000, 1)
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: theirs, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}}},
		mutate.IndexAddendum{Add: ours, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: ours, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	dir := ociLayout(t, func(p layout.Path) error { return p.AppendIndex(index) })

	whole := tarFolder(t, dir)
	if _, err := load.File(t.Context(), b.target, whole, "whole:v1", nil); err != nil {
		t.Fatal(err)
	}
	indexDigest, _ := index.Digest()
	if m, err := b.find("whole:v1"); err != nil || m.Digest != indexDigest.String() {
		t.Errorf("whole index: %s, %v", m.Digest, err)
	}

	gone, _ := theirs.Digest()
	if err := os.Remove(filepath.Join(dir, "blobs/sha256", gone.Hex)); err != nil {
		t.Fatal(err)
	}
	if _, err := load.File(t.Context(), b.target, tarFolder(t, dir), "part:v1", nil); err != nil {
		t.Fatal(err)
	}
	ourDigest, _ := ours.Digest()
	if m, err := b.find("part:v1"); err != nil || m.Digest != ourDigest.String() {
		t.Errorf("part of an index: %s, %v", m.Digest, err)
	}
}

func TestLoadWhatSkopeoWrites(t *testing.T) {
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		t.Skip("skopeo is not installed (apt-get install skopeo)")
	}
	b := newBerth(t)
	source := "docker-archive:" + dockerArchive(t, hello("hello:v1"))
	for _, form := range []string{"docker-archive", "oci-archive"} {
		file := filepath.Join(t.TempDir(), "out.tar")
		cmd := exec.CommandContext(t.Context(), skopeo, "--insecure-policy", "copy", source, form+":"+file+":docker.io/library/"+form+":v1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if _, err := load.File(t.Context(), b.target, file, "", nil); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		if _, err := b.find(form + ":v1"); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

func TestLoadCompressedAndFromAStream(t *testing.T) {
	b := newBerth(t)
	plain, err := os.ReadFile(dockerArchive(t, hello("hello:v1")))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar.gz")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := load.File(t.Context(), b.target, file, "", nil); err != nil {
		t.Error(err)
	}
	if _, err := load.Stream(t.Context(), b.target, bytes.NewReader(plain), "standard input", "again:v1", nil); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"hello:v1", "again:v1"} {
		if _, err := b.find(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = load.Stream(t.Context(), b.target, bytes.NewReader(packed.Bytes()[:packed.Len()/2]), "standard input", "", nil)
	if err == nil || !strings.Contains(err.Error(), "standard input is cut short") {
		t.Errorf("half a stream: %v", err)
	}
}

// rewrite copies an archive, changing or dropping (nil) the members that change
// answers for.
func rewrite(t *testing.T, from string, change func(name string, data []byte) []byte) string {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	to := filepath.Join(t.TempDir(), "changed.tar")
	f, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := tar.NewReader(in), tar.NewWriter(f)
	for {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if data = change(h.Name, data); data == nil {
				continue
			}
			h.Size = int64(len(data))
		}
		if err := writer.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return to
}

func flip(data []byte) []byte {
	out := bytes.Clone(data)
	out[len(out)/2] ^= 1
	return out
}

// A corrupt archive is refused with the name of what is corrupt, and nothing of it
// stays in the registry.
func TestCorruptArchivesLeaveNothing(t *testing.T) {
	b := newBerth(t)
	docker := dockerArchive(t, hello("hello:v1"))
	img, err := random.Image(5000, 2)
	if err != nil {
		t.Fatal(err)
	}
	oci := tarFolder(t, ociLayout(t, func(p layout.Path) error { return p.AppendImage(img, named("io.containerd.image.name", "rnd:v1")) }))
	layers, _ := img.Layers()
	second, _ := layers[1].Digest()
	config, _ := img.ConfigName()
	manifest, _ := img.Digest()
	cut := func(file string, at func(size int64) int64) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "cut.tar")
		if err := os.WriteFile(to, data[:at(int64(len(data)))], 0o600); err != nil {
			t.Fatal(err)
		}
		return to
	}
	only := func(suffix string, f func([]byte) []byte) func(string, []byte) []byte {
		return func(name string, data []byte) []byte {
			if strings.HasSuffix(name, suffix) {
				return f(data)
			}
			return data
		}
	}
	drop := func([]byte) []byte { return nil }
	noJSON := func([]byte) []byte { return []byte("{") }
	for _, c := range []struct{ what, file, says string }{
		{"layer changed", rewrite(t, docker, only("layer.tar", flip)), "layer 1 of 1 ("},
		{"layer missing", rewrite(t, docker, only("layer.tar", drop)), "layer.tar) is missing"},
		{"config missing", rewrite(t, docker, func(n string, d []byte) []byte {
			if len(n) == 69 {
				return nil
			}
			return d
		}), ".json is missing"},
		{"manifest is no JSON", rewrite(t, docker, only("manifest.json", noJSON)), "manifest.json is not valid JSON"},
		{"no manifest", rewrite(t, docker, only("manifest.json", drop)), "neither an index.json (OCI) nor a manifest.json"},
		{"cut in a layer", cut(docker, func(int64) int64 { return 3000 }), "is cut short"},
		{"cut in the first header", cut(docker, func(int64) int64 { return 100 }), "is not an image archive"},
		{"empty", cut(docker, func(int64) int64 { return 0 }), "is empty"},
		{"no archive", "load_test.go", "is not an image archive"},
		{"a folder", ".", "is a folder"},
		{"blob changed", rewrite(t, oci, only(second.Hex, flip)), "layer 2 of 2 (blobs/sha256/" + second.Hex + "): its content has the digest sha256:"},
		{"blob missing", rewrite(t, oci, only(second.Hex, drop)), "layer 2 of 2 (blobs/sha256/" + second.Hex + ") is missing"},
		{"blob short", rewrite(t, oci, only(second.Hex, func(d []byte) []byte { return d[:9] })), " has 9 bytes, and should have "},
		{"oci config changed", rewrite(t, oci, only(config.Hex, flip)), "the config (blobs/sha256/" + config.Hex},
		{"oci manifest changed", rewrite(t, oci, only(manifest.Hex, flip)), "the manifest (blobs/sha256/" + manifest.Hex},
	} {
		_, err := load.File(t.Context(), b.target, c.file, "", nil)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: got %v", c.what, err)
		}
	}
	if n := b.blobs(); n != 0 {
		t.Errorf("%d blobs were kept", n)
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	b := newBerth(t)
	file := dockerArchive(t, hello("hello:v1"))
	wrong := b.target
	wrong.Password = "guess"
	if _, err := load.File(t.Context(), wrong, file, "", nil); err == nil || !strings.Contains(err.Error(), "load hello:v1: Your Authorization Token is invalid.") {
		t.Errorf("a wrong password: %v", err)
	}
	other := b.target
	other.Account = "111111111111"
	if _, err := load.File(t.Context(), other, file, "", nil); err == nil || !strings.Contains(err.Error(), "is not authorized to perform: ecr:") {
		t.Errorf("another's images: %v", err)
	}
	away := b.target
	away.Endpoint = "http://127.0.0.1:1"
	if _, err := load.File(t.Context(), away, file, "", nil); err == nil || !strings.Contains(err.Error(), "no berth answers at http://127.0.0.1:1") {
		t.Errorf("no berth: %v", err)
	}
	if _, err := load.File(t.Context(), b.target, "/nonexistent.tar", "", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestLoadBusybox(t *testing.T) {
	img, err := images.Busybox("busybox:test", images.File{Path: "/app/data.txt", Data: []byte("x"), Mode: 0o644})
	if err != nil {
		t.Skip(err)
	}
	b := newBerth(t)
	if _, err := load.File(t.Context(), b.target, dockerArchive(t, img), "", nil); err != nil {
		t.Fatal(err)
	}
	m, err := b.find("busybox:test")
	if err != nil || !strings.Contains(m.MediaType, "oci.image.manifest") {
		t.Errorf("%+v, %v", m, err)
	}
}
