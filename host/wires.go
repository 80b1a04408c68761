package host

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plane/names"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/protocol/sigv4"
)

// orders hands what the session receives to the engine.
type orders struct{ h *Host }

func (o orders) Order(order *task.Order) error { return o.h.engine.Apply(order) }

func (o orders) Renew(arn, _ string, c task.Credentials) {
	if err := o.h.engine.Renew(arn, &c); err != nil {
		o.h.Log.Warn("cannot renew credentials", "task", arn, "err", err)
	}
}

func (o orders) Unfinished() []string { return o.h.engine.Tasks() }

func (o orders) Stop(arn, reason string) {
	if err := o.h.engine.Stop(arn, reason); err != nil {
		o.h.Log.Warn("cannot stop a task", "task", arn, "err", err)
	}
}

func (o orders) Health() []acs.TaskHealth {
	var out []acs.TaskHealth
	for _, s := range o.h.engine.Snapshots() {
		th := acs.TaskHealth{TaskARN: s.Order.ARN, TaskDefinitionFamily: s.Order.Family}
		for _, c := range s.Containers {
			if c.Health != "" {
				th.Containers = append(th.Containers, acs.ContainerHealth{
					ContainerName: c.Name, HealthStatus: string(c.Health), StatusSince: float64(c.HealthSince.UnixMilli()) / 1000,
				})
			}
		}
		if th.Containers != nil {
			out = append(out, th)
		}
	}
	return out
}

func (o orders) Metrics() []acs.TaskMetric { return o.h.stats.Publish() }

// tasks shows the engine's tasks at the metadata address.
type tasks struct{ h *Host }

// known is the engine, once it is open: tasks that run ask while the agent starts.
func (h *Host) known() *engine.Engine {
	<-h.opened
	return h.engine
}

func (t tasks) Task(arn string) (*metadata.Task, bool) {
	if e := t.h.known(); e != nil {
		return e.Task(arn)
	}
	return nil, false
}

func (t tasks) Owner(id string) (arn, container string, ok bool) {
	if e := t.h.known(); e != nil {
		return e.Owner(id)
	}
	return "", "", false
}

func (t tasks) Credentials(id string) (*task.Credentials, string, bool) {
	if e := t.h.known(); e != nil {
		return e.Credentials(id)
	}
	return nil, "", false
}

// logKeys signs a task's logs: with its execution role's keys where it has one,
// else with the instance's. Lines that were held up may outlive the role's keys.
func (h *Host) logKeys(_ context.Context, arn string) (sigv4.Keys, error) {
	if e := h.known(); e != nil {
		if c := e.ExecutionKeys(arn); c != nil && c.Expiration.After(time.Now()) {
			return signing(c), nil
		}
	}
	return sigv4.Keys{ID: h.keys.AccessKeyID, Secret: h.keys.SecretAccessKey, Token: h.keys.SessionToken}, nil
}

// measured shows what containers use at the metadata address.
type measured struct{ h *Host }

func (m measured) Stats(arn, container string) (now, before *metadata.Sample, ok bool) {
	if m.h.known() == nil {
		return nil, nil, false
	}
	return m.h.stats.Stats(arn, container)
}

// images pulls with the keys of tasks' execution roles, and with the instance's own
// for tasks that have none, and for images that no repository of ECR has.
type images struct {
	image.Puller
	api *client.Client
}

var _ engine.Images = (*images)(nil)

// Pull implements engine.Images.
func (p *images) Pull(ctx context.Context, o *task.Order, c *task.OrderContainer, login *secret.Login) (*image.Image, error) {
	logins := image.Logins{Own: p.api.RegistryToken, Loaded: p.api.RegistryToken}
	if r := o.ExecutionRole; r != nil {
		logins.Own = p.api.As(signing(r), o.Region).RegistryToken
	}
	if login != nil {
		logins.Others = func(context.Context) (string, string, error) { return login.User, login.Password, nil }
	}
	return p.Puller.Pull(ctx, arn.Scope{Account: o.Account, Region: o.Region}, c.Image, logins)
}

func signing(c *task.Credentials) sigv4.Keys {
	return sigv4.Keys{ID: c.AccessKeyID, Secret: c.SecretAccessKey, Token: c.SessionToken}
}

// Get implements engine.Images.
func (p *images) Get(ctx context.Context, name string) (*image.Image, error) {
	return p.Store.Get(ctx, name)
}

// services are what a router offers its tasks: metadata, the way to our API, DNS.
func (h *Host) services(r *network.Router) (io.Closer, error) {
	ctx := context.Background()
	open, err := h.metadata.ServeRouter(ctx, r)
	if err != nil {
		return nil, err
	}
	all := closers{open}
	resolver := names.New(h.zoneOf(r), names.NewHost(resolvConf), h.Log)
	for _, at := range r.Resolvers() {
		address := at.String() + ":53"
		stream, err := r.Listen(ctx, address)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		packets, err := r.ListenPacket(ctx, address)
		if err != nil {
			return nil, errors.Join(err, stream.Close(), all.Close())
		}
		resolver.Serve(stream, packets)
	}
	return append(all, resolver, h.calls.Serve(r.VPC, callers{r})), nil
}

type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
