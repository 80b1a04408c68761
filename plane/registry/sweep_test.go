package registry_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berthhq/berth/plane/registry"
)

// blobCount is how many blobs the folder holds.
func blobCount(t *testing.T, root string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "docker/registry/v2/blobs/sha256/*/*/data"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestSweepRemovesWhatNoImageNames(t *testing.T) {
	h := newHarbor(t, "app", "copy")
	kept, gone := randomImage(t), randomImage(t)
	h.push(kept, "app:kept")
	h.push(gone, "app:gone")
	h.push(kept, "copy:kept")
	if err := remote.Delete(h.ref("app@"+digestOf(t, gone)), h.options()...); err != nil {
		t.Fatal(err)
	}
	h.close()
	r, err := registry.Open(registry.Config{Root: h.root})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Sweep(t.Context(), time.Now()); n != 0 || err != nil {
		t.Errorf("swept %d young layers, %v", n, err)
	}
	n, err := r.Sweep(t.Context(), time.Now().Add(25*time.Hour))
	if n != 5 || err != nil { // three layers, the config, the manifest
		t.Errorf("swept %d, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := blobCount(t, h.root); got != 5 {
		t.Errorf("%d blobs left", got)
	}
	h.serve(registry.Config{Root: h.root})
	for _, tag := range []string{"app:kept", "copy:kept"} {
		img, err := remote.Image(h.ref(tag), h.options()...)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			if err := readLayer(l); err != nil {
				t.Errorf("%s: %v", tag, err)
			}
		}
	}
	h.push(gone, "app:gone") // and what was swept can be pushed again
}

// A layer that a client was told of stays, however old, until its manifest can
// have come.
func TestSweepKeepsWhatAClientCountsOn(t *testing.T) {
	h := newHarbor(t, "app")
	img := randomImage(t)
	h.push(img, "app:v1")
	if err := remote.Delete(h.ref("app@"+digestOf(t, img)), h.options()...); err != nil {
		t.Fatal(err)
	}
	h.close()
	long := time.Now().Add(-72 * time.Hour)
	blobs, _ := filepath.Glob(filepath.Join(h.root, "docker/registry/v2/blobs/sha256/*/*/data"))
	for _, b := range blobs {
		if err := os.Chtimes(b, long, long); err != nil {
			t.Fatal(err)
		}
	}
	r := h.serve(registry.Config{Root: h.root})
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if _, err := h.client.LayerSize(t.Context(), place("app"), digestOf(t, l)); err != nil {
			t.Fatal(err)
		}
	}
	// The config and the manifest go: nobody asked for them.
	if n, err := r.Sweep(t.Context(), time.Now()); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	h.push(img, "app:v1")
}
