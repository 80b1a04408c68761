package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/plane/registry"
)

// TestMain lets this program be a storage process that can be killed.
func TestMain(m *testing.M) {
	if root := os.Getenv("REGISTRY_CHILD_ROOT"); root != "" {
		os.Exit(storageProcess(root, os.Getenv("REGISTRY_CHILD_SOCKET")))
	}
	os.Exit(m.Run())
}

func storageProcess(root, socket string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r, err := registry.Open(registry.Config{Root: root})
	if err == nil {
		err = errors.Join(r.Serve(ctx, socket), r.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// startChild runs a storage process on the harbor's folder, behind its gate.
func (h *harbor) startChild() *exec.Cmd {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	socket := filepath.Join(shortDir(h.t), "registry.sock")
	child := exec.Command(self)
	child.Env = append(os.Environ(), "REGISTRY_CHILD_ROOT="+h.root, "REGISTRY_CHILD_SOCKET="+socket)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = child.Process.Kill(); _, _ = child.Process.Wait() })
	waitForSocket(h.t, socket)
	h.client, h.gate.Registry = registry.NewClient(socket), registry.Proxy(socket, testLog(h.t))
	return child
}

// A registry killed in the middle of pushes shows whole images or none, and takes
// the pushes again.
func TestKilledDuringPush(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	h := newHarbor(t, "app")
	h.close()
	var images []v1.Image
	for round := range 8 {
		img, err := random.Image(2<<20, 4)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
		child := h.startChild()
		pushed := make(chan error, 1)
		go func() { pushed <- remote.Write(h.ref(fmt.Sprintf("app:v%d", round)), img, h.options()...) }()
		moment := time.After(time.Duration(dice.IntN(60)) * time.Millisecond)
		select {
		case <-moment:
		case err := <-pushed:
			pushed <- err
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = child.Process.Wait()
		acknowledged := <-pushed == nil

		h.startChildAndCheck(fmt.Sprintf("v%d", round), acknowledged)
	}
	h.startChild()
	for round, img := range images {
		h.push(img, fmt.Sprintf("app:v%d", round))
	}
	if got := h.images("app"); len(got) != len(images) {
		t.Errorf("%d images after pushing all again", len(got))
	}
}

// startChildAndCheck reopens the folder and reads everything that is listed.
func (h *harbor) startChildAndCheck(tag string, mustBeThere bool) {
	h.t.Helper()
	child := h.startChild()
	defer func() {
		_ = child.Process.Signal(syscall.SIGTERM)
		_, _ = child.Process.Wait()
	}()
	tags, err := remote.List(h.ref("app").Context(), h.options()...)
	if err != nil {
		h.t.Fatal(err)
	}
	there := false
	for _, listed := range tags {
		there = there || listed == tag
		img, err := remote.Image(h.ref("app:"+listed), h.options()...)
		if err != nil {
			h.t.Fatalf("%s is listed but: %v", listed, err)
		}
		layers, err := img.Layers()
		if err != nil {
			h.t.Fatal(err)
		}
		for _, layer := range layers {
			if err := readLayer(layer); err != nil {
				h.t.Errorf("layer of %s: %v", listed, err)
			}
		}
	}
	if mustBeThere && !there {
		h.t.Errorf("%s was acknowledged and is lost", tag)
	}
}

// readLayer reads all bytes; the client compares their digest.
func readLayer(layer v1.Layer) error {
	r, err := layer.Compressed()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

func TestTagThatPointsNowhereIsMended(t *testing.T) {
	h := newHarbor(t, "app")
	h.push(randomImage(t), "app:v1")
	h.close()
	half := filepath.Join(h.root, "docker/registry/v2/repositories/000000000000/us-east-1/app/_manifests/tags/half")
	if err := os.MkdirAll(filepath.Join(half, "index/sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.serve(registry.Config{Root: h.root})
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if got := h.images("app"); len(got) != 1 || len(got[0].Tags) != 1 {
		t.Errorf("listed %+v", got)
	}
}

func TestFullDiskIsSaidAndNothingIsKept(t *testing.T) {
	h := newHarbor(t, "app")
	h.close()
	h.root = t.TempDir()
	if err := syscall.Mount("tmpfs", h.root, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(h.root, syscall.MNT_DETACH) })
	h.serve(registry.Config{Root: h.root, FullAt: 2}) // let it run into the wall
	small := randomImage(t)
	h.push(small, "app:small")
	big, err := random.Image(9<<20, 1)
	if err != nil {
		t.Fatal(err)
	}
	err = remote.Write(h.ref("app:big"), big, h.options()...)
	if err == nil || !strings.Contains(err.Error(), "no space left on the disk of berth's registry") {
		t.Errorf("got %v", err)
	}
	if left := uploads(t, h.root); len(left) != 0 {
		t.Errorf("kept: %v", left)
	}
	if got := h.images("app"); len(got) != 1 {
		t.Errorf("listed %+v", got)
	}
	if err := remote.Delete(h.ref("app:small"), h.options()...); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}

	h.close()
	h.serve(registry.Config{Root: h.root, FullAt: 0.01})
	err = remote.Write(h.ref("app:small"), randomImage(t), h.options()...)
	if err == nil || !strings.Contains(err.Error(), "takes no more images from 1 % on") {
		t.Errorf("above the mark: %v", err)
	}
}

// uploads lists unfinished uploads with data in them.
func uploads(t *testing.T, root string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "docker/registry/v2/repositories/*/*/*/_uploads/*/data"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
