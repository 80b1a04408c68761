// Package shim is the process that stands between berth and one task's
// containers: it starts the OCI runtime, keeps exit codes and lives on when the
// agent does not.
//
// It is containerd's runc shim, built into a small binary of our own: what the
// shim links is what every container's start waits for and every task's memory
// holds.
package shim

import (
	"context"
	"os"
	"strings"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task"
	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
	"github.com/containerd/ttrpc"
)

// Name is what the shim's file is called. The shim runs itself again by path, so
// the file is a program or a hard link to one, never a symbolic link.
const Name = "containerd-shim-runc-v2"

// Main is the shim's main function; it ends the process on an error.
//
// The registry of plugins is global to the process and filled by the packages
// linked into it, so Main empties it first: a shim serves the task service only.
func Main() {
	registry.Reset()
	registry.Register(&plugin.Registration{
		Type:     plugins.TTRPCPlugin,
		ID:       "task",
		Requires: []plugin.Type{plugins.EventPlugin, plugins.InternalPlugin},
		InitFn:   newTaskService,
	})
	shim.RunShim(context.Background(), manager.NewShimManager("io.containerd.runc.v2"))
}

func newTaskService(ic *plugin.InitContext) (any, error) {
	publisher, err := ic.GetByID(plugins.EventPlugin, "publisher")
	if err != nil {
		return nil, err
	}
	stop, err := ic.GetByID(plugins.InternalPlugin, "shutdown")
	if err != nil {
		return nil, err
	}
	service, err := task.NewTaskService(ic.Context, publisher.(shim.Publisher), stop.(shutdown.Service))
	if err != nil {
		return nil, err
	}
	return steady{service.(shim.TTRPCService), &pipes{byID: map[string][]*os.File{}}}, nil
}

// steady is the task service made fit for agents that are killed.
//
// Its starts are whole: one that was asked for is carried out even if who asked is
// killed meanwhile. The connection's end would otherwise kill the OCI runtime in the
// middle, and a program that runs by then would count as never started, and be run a
// second time. And it holds the pipes that containers print into.
type steady struct {
	shim.TTRPCService
	held *pipes
}

// UnaryServerInterceptor is what the shim asks its services for.
func (s steady) UnaryServerInterceptor() ttrpc.UnaryServerInterceptor {
	return func(ctx context.Context, read ttrpc.Unmarshaler, info *ttrpc.UnaryServerInfo, call ttrpc.Method) (any, error) {
		if strings.HasSuffix(info.FullMethod, "/Start") {
			ctx = context.WithoutCancel(ctx)
		}
		var request any
		answer, err := call(ctx, func(r any) error {
			request = r
			err := read(r)
			if create, ok := r.(*taskapi.CreateTaskRequest); ok && err == nil {
				err = s.held.hold(create.ID, create.Stdout, create.Stderr)
			}
			return err
		})
		if gone, ok := request.(*taskapi.DeleteRequest); ok && err == nil && gone.ExecID == "" {
			s.held.release(gone.ID)
		}
		return answer, err
	}
}
