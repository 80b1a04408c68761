package runtime

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// InitName is the file of cmd/berth-init.
const InitName = "berth-init"

// insideInit is where a container with Init sees it: on /dev, which is a memory
// file system even when the root cannot be written.
const insideInit = "/dev/" + InitName

var errNoInit = errors.New("berth-init is not installed beside berth: build it with make build")

// withInit puts our init before the container's program.
func (r *Runtime) withInit(s *specs.Spec) error {
	if r.config.Init == "" {
		return errNoInit
	}
	s.Mounts = append(s.Mounts, specs.Mount{Destination: insideInit, Type: "bind", Source: r.config.Init, Options: []string{"bind", "ro"}})
	s.Process.Args = append([]string{insideInit, "--"}, s.Process.Args...)
	return nil
}

// pauseRoot is the root file system of Pause containers: a folder with our init.
func (r *Runtime) pauseRoot() string { return filepath.Join(r.config.Data, "containers", "pause") }

// placePause makes the pause root.
func (r *Runtime) placePause() error {
	if r.config.Init == "" {
		return errNoInit
	}
	if err := os.MkdirAll(r.pauseRoot(), 0o755); err != nil {
		return err
	}
	return linkOrCopy(r.config.Init, filepath.Join(r.pauseRoot(), InitName))
}
