package images

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// Program builds a Go program of the module that the test runs in, as one static file
// at the root of an image, named after its package. dir takes the build.
func Program(dir, pkg string) (File, error) {
	name := path.Base(pkg)
	out := filepath.Join(dir, name)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return File{}, fmt.Errorf("build %s: %w: %s", pkg, err, said)
	}
	data, err := os.ReadFile(out)
	return File{Path: "/" + name, Data: data}, err
}
