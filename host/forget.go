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
// the folder: networks, mounts and groups. No agent of it may run, nor any of its
// tasks.
func Forget(ctx context.Context, data string, log *slog.Logger) error {
	h := &Host{Config: Config{Data: data}}
	var errs []error
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

// runDir holds what must not outlive a reboot.
func (h *Host) runDir() string { return filepath.Join("/run/berth", h.name()) }

func (h *Host) networkDir() string { return filepath.Join(h.runDir(), "network") }

// hostGroup is the control group of host mode tasks.
func (h *Host) hostGroup() string { return "/berth-" + h.name() }

func (h *Host) runtimeDir() string { return filepath.Join(h.Data, "runtime") }
