package runtimetest

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/berthhq/berth/agent/runtime"
)

// BusyboxName is what Busybox keeps its image under.
const BusyboxName = "test.invalid/busybox:latest"

// Busybox imports an image with the host's static busybox as its only program,
// links for its common names, users root and app (uid 1000, also in group 2000)
// and a /tmp, and returns its name.
func Busybox(t testing.TB, r *runtime.Runtime) string {
	t.Helper()
	return Import(t, r, BusyboxName, BusyboxImage(t))
}

// BusyboxImage makes the image that Busybox imports.
func BusyboxImage(t testing.TB) v1.Image {
	t.Helper()
	program, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no static busybox: apt-get install busybox-static")
	}
	return Image(t, v1.Config{Env: []string{"PATH=/bin"}, Cmd: []string{"sh"}}, []tar.Header{
		{Name: "bin/", Mode: 0o755}, {Name: "tmp/", Mode: 0o1777}, {Name: "etc/", Mode: 0o755}, {Name: "root/", Mode: 0o700},
		{Name: "bin/busybox", Mode: 0o755},
		{Name: "etc/passwd", Mode: 0o644}, {Name: "etc/group", Mode: 0o644},
	}, map[string][]byte{
		"bin/busybox": program,
		"etc/passwd":  []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/tmp:/bin/sh\n"),
		"etc/group":   []byte("root:x:0:\napp:x:1000:\nextra:x:2000:app\n"),
	}, busyboxNames()...)
}

func busyboxNames() []string {
	return []string{"sh", "cat", "echo", "sleep", "true", "false", "id", "ps", "ls", "dmesg", "uname", "dd", "kill", "mount", "hostname",
		"env", "seq", "head", "tail", "touch", "rm", "ulimit", "wget", "nc", "test", "date", "grep", "yes", "tr", "mkdir", "pwd", "stat", "nproc", "sync", "ip", "ping", "usleep"}
}

// Image makes an image of one layer: headers in order, the contents of the files
// among them, and links to bin/busybox.
func Image(t testing.TB, config v1.Config, headers []tar.Header, contents map[string][]byte, links ...string) v1.Image {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	add := func(h tar.Header, data []byte) {
		h.Size = int64(len(data))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range headers {
		if h.Typeflag = tar.TypeReg; h.Name[len(h.Name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		add(h, contents[h.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(asSet(links))) {
		add(tar.Header{Name: "bin/" + name, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", architecture(), config
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	return img
}

func asSet(names []string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}

// Import keeps the image in the runtime under its name.
func Import(t testing.TB, r *runtime.Runtime, as string, img v1.Image) string {
	t.Helper()
	made, err := r.Images().Import(t.Context(), bytes.NewReader(Archive(t, as, img)), "")
	if err != nil {
		t.Fatal(err)
	}
	return made[0].Name
}

// Archive writes the image as docker save does.
func Archive(t testing.TB, as string, img v1.Image) []byte {
	t.Helper()
	tag, err := name.NewTag(as)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := tarball.Write(tag, img, &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
