package engine

import (
	"context"
	"time"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/domain/task"
)

// Runtime runs containers: *runtime.Runtime.
type Runtime interface {
	HasGVisor() bool
	Create(ctx context.Context, c runtime.Container) error
	Start(ctx context.Context, id string) error
	Wait(ctx context.Context, id string) (runtime.Exit, error)
	Stop(ctx context.Context, id, signal string, grace time.Duration) error
	Delete(ctx context.Context, id string) error
	Exec(ctx context.Context, id string, args []string, timeout time.Duration) (code int, output string, err error)
	Status(ctx context.Context, id string) (runtime.Status, error)
	List(ctx context.Context) ([]runtime.Status, error)
}

// Network gives tasks their networks: *network.Network.
type Network interface {
	Setup(ctx context.Context, o *task.Order) (map[string]network.Endpoint, error)
	Renew(ctx context.Context, arn string) error
	Secure(ctx context.Context, arn string, groups []task.SecurityGroup) error
	Teardown(ctx context.Context, arn string) error
	Keep(ctx context.Context, arns []string) error
}

// Volumes gives tasks their volumes: *volume.Volumes.
type Volumes interface {
	Prepare(o *task.Order) error
	Mounts(o *task.Order, container string) ([]runtime.Mount, error)
	Release(taskID string) error
	Keep(taskIDs []string) error
}

// Secrets fetches what containers are told in confidence: *secret.Fetcher.
type Secrets interface {
	Fetch(ctx context.Context, o *task.Order) (secret.Values, error)
	Secrets(ctx context.Context, o *task.Order, c *task.OrderContainer) (map[string]string, error)
}

// Images finds the images of containers.
type Images interface {
	// Pull gets a container's image from where its name leads. login is for a
	// registry that is not berth's; nil for none.
	Pull(ctx context.Context, o *task.Order, c *task.OrderContainer, login *secret.Login) (*image.Image, error)
	// Get finds an image that Pull returned before, by its name.
	Get(ctx context.Context, name string) (*image.Image, error)
}

// Logs takes what containers print: *logs.Logs.
type Logs interface {
	Start(ctx context.Context, id string, order logs.Order) (logs.Pipes, error)
	End(id string) error
	Drained(ctx context.Context, id string) error
	Unended() ([]string, error)
	Status(id string) (logs.Status, bool)
}
