package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
)

// Forget removes what the agent of a data folder made on the machine outside of
// the folder: tasks that were left running, networks, mounts and groups. No agent of
// it may run.
func Forget(ctx context.Context, data string, log *slog.Logger) error {
	h := &Host{Config: Config{Data: data, Log: log}}
	errs := []error{h.endContainers(ctx)}
	if _, err := os.Stat(h.runDir()); err == nil {
		config := network.Config{Agent: h.name(), RunDir: h.networkDir(), Log: log, HostTasks: &network.HostTasks{Group: h.hostGroup()}}
		n, err := network.Open(ctx, config)
		if errors.Is(err, network.ErrNoUnifiedHierarchy) {
			config.HostTasks = nil
			n, err = network.Open(ctx, config)
		}
		if err == nil {
			err = n.Destroy(ctx)
		}
		errs = append(errs, err, os.RemoveAll(h.runDir()))
	}
	return errors.Join(append(errs, runtime.Destroy(h.runtimeDir()))...)
}

// endContainers ends and removes what runs without an agent.
func (h *Host) endContainers(ctx context.Context) error {
	if _, err := os.Stat(h.runtimeDir()); err != nil {
		return nil // none was ever made
	}
	r, err := runtime.Open(ctx, runtime.Config{Data: h.runtimeDir(), Log: h.Log})
	if errors.Is(err, runtime.ErrNoOCIRuntime) {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := r.List(ctx)
	for _, c := range left {
		err = errors.Join(err, r.Delete(ctx, c.ID))
	}
	return errors.Join(err, r.Close())
}

// runDir holds what must not outlive a reboot.
func (h *Host) runDir() string { return filepath.Join("/run/berth", h.name()) }

func (h *Host) networkDir() string { return filepath.Join(h.runDir(), "network") }

// hostGroup is the control group of host mode tasks.
func (h *Host) hostGroup() string { return "/berth-" + h.name() }

func (h *Host) runtimeDir() string { return filepath.Join(h.Data, "runtime") }
