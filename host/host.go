// Package host wires the agent of one machine: it joins a server, opens the
// runtime, the networks, the logs and the engine in the order in which they depend
// on each other, and speaks for the machine until it is told to stop. Tasks go on
// while no agent runs.
package host

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/ledger"
	"github.com/berthhq/berth/agent/logs"
	"github.com/berthhq/berth/agent/metadata"
	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/agent/session"
	"github.com/berthhq/berth/agent/stats"
	"github.com/berthhq/berth/agent/volume"
	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/plane/connect"
	"github.com/berthhq/berth/plane/names"
)

// Config is all that an agent is built from.
type Config struct {
	Data      string // folder of its state
	Server    string // URL
	TokenFile string // of the join token; read until the machine has keys
	Version   string

	CPU, Memory   int // to offer; 0 means the machine's
	OffersEC2     bool
	OffersFargate bool
	Overcommit    int
	Unsandboxed   bool // Fargate tasks share the host's kernel
	Privileged    bool // allow privileged tasks
	Expose        bool // publish host ports beyond loopback
	Zone          string
	// HopLimit is that of the instance's metadata: with 1 only host mode tasks get
	// tokens. BlockIMDS closes it to tasks with a network interface of their own.
	HopLimit  int
	BlockIMDS bool
	// Edge says that an edge runs beside the agent.
	Edge bool
	// CapacityProvider is the name of the one that the instance belongs to; empty
	// for none.
	CapacityProvider string
	// Underlay is the machine's address at which other hosts' packets of VPCs arrive:
	// an address, "none", or empty for the one it reaches the server by.
	Underlay string
	// Routed are ranges of public addresses that the network around leads here.
	Routed []netip.Prefix

	// HostsFile is where load balancers are named for programs of the machine; empty
	// for nowhere.
	HostsFile string

	Log *slog.Logger
}

// Port is where tasks find berth's API at 169.254.170.2.
const Port = 4566

// Host is a wired agent.
type Host struct {
	Config
	keys     *keys
	shown    shown
	tls      *tls.Config // towards the server; nil on plain HTTP
	secret   []byte      // of metadata ids
	runtime  *runtime.Runtime
	network  *network.Network
	volumes  *volume.Volumes
	logs     *logs.Logs
	metadata *metadata.Server
	engine   *engine.Engine // see tasks: others wait for opened first
	stats    *stats.Stats   // likewise
	opened   chan struct{}  // closed when the engine is there, or never will be
	open     func()         // closes opened
	hostMode hostMode
	underlay netip.Addr // invalid on a host by itself
	names    *names.Directory
	calls    *connect.Node
	session  *session.Session
	closers  []func() error
}

// Run runs the agent until ctx ends.
func Run(ctx context.Context, c Config) (err error) {
	h := &Host{Config: c, opened: make(chan struct{}), shown: shown{now: time.Now}}
	h.open = sync.OnceFunc(func() { close(h.opened) })
	if err := os.MkdirAll(c.Data, 0o711); err != nil {
		return err
	}
	if h.Data, err = filepath.Abs(c.Data); err != nil {
		return err
	}
	defer func() {
		h.open()
		for _, v := range slices.Backward(h.closers) {
			err = errors.Join(err, v())
		}
	}()
	for _, step := range []func(context.Context) error{h.join, h.openRuntime, h.openLogs, h.openHostMode, h.openUnderlay, h.openNames, h.openCalls, h.openNetwork, h.openEngine, h.register} {
		if err := step(ctx); ctx.Err() != nil {
			return nil // told to stop, as good as started
		} else if err != nil {
			return err
		}
	}
	go h.report(ctx)
	go h.sweepImages(ctx)
	go h.stats.Run(ctx)
	err = h.session.Run(ctx)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (h *Host) later(close func() error) { h.closers = append(h.closers, close) }

func (h *Host) openRuntime(ctx context.Context) (err error) {
	if h.secret, err = secretIn(filepath.Join(h.Data, "metadata.secret")); err != nil {
		return err
	}
	if h.runtime, err = runtime.Open(ctx, runtime.Config{Data: h.runtimeDir(), Log: h.Log}); err != nil {
		return fmt.Errorf("open the container runtime: %w", err)
	}
	h.later(h.runtime.Close)
	h.volumes, err = volume.Open(filepath.Join(h.Data, "volumes"), append(volume.Sensitive(), filepath.Dir(h.Data))...)
	return err
}

func (h *Host) openLogs(context.Context) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	spool := filepath.Join(h.Data, "spool")
	h.logs, err = logs.Open(logs.Config{
		Dir: spool, Files: filepath.Join(h.Data, "logs"), Logger: []string{self, "logger", "--dir", spool}, Endpoint: h.Server,
		TLS: h.tls, Keys: h.logKeys, Log: h.Log,
	})
	if err != nil {
		return fmt.Errorf("open the logs: %w", err)
	}
	h.later(h.logs.Close)
	return nil
}

func (h *Host) openNetwork(ctx context.Context) (err error) {
	h.metadata = metadata.New(metadata.Config{Tasks: tasks{h}, Stats: measured{h}, Log: h.Log, Now: time.Now, Instance: h.instance(), Endpoint: &metadata.Endpoint{
		Addresses: []string{address(h.Server)}, TLS: h.tls, Port: Port,
	}})
	h.later(h.metadata.ServeHost(h.hostMode.listeners).Close)
	h.resolveForHost()
	config := network.Config{
		Agent: h.name(), RunDir: h.networkDir(), Log: h.Log, HostVPC: h.keys.DefaultVPC,
		LoopbackOnly: !h.Expose, Services: h.services, HostTasks: h.hostMode.tasks(), Underlay: h.underlay, Routed: h.Routed,
	}
	h.network, err = network.Open(ctx, config)
	if errors.Is(err, network.ErrNoUnifiedHierarchy) {
		h.Log.Warn("tasks in host network mode share the host's way to the cloud's metadata", "why", err)
		h.hostMode.group, config.HostTasks = "", nil
		h.network, err = network.Open(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("open the task networks: %w", err)
	}
	h.later(h.network.Close)
	return nil
}

func (h *Host) openEngine(ctx context.Context) (err error) {
	h.engine, err = engine.Open(ctx, engine.Config{
		Dir: filepath.Join(h.Data, "engine"), Runtime: h.runtime, Cgroups: h.runtime.Cgroups(), Group: h.runtime.Group(),
		Network: h.network, Volumes: h.volumes, Images: h.puller(), Logs: h.logs,
		Secrets:   &secret.Fetcher{API: client.New(h.place())},
		HostGroup: h.hostMode.group, Ledger: ledger.New(h.offer(), max(1, h.Overcommit)),
		Environment: func(o *task.Order, container string) map[string]string {
			return metadata.Environment(o, metadata.ID(h.secret, o.ARN, container), Port, h.hostMode.loopback())
		},
		MetadataID:     func(arn, container string) string { return metadata.ID(h.secret, arn, container) },
		WithoutSandbox: h.Unsandboxed, AllowPrivileged: h.Privileged, Log: h.Log,
	})
	if err != nil {
		return fmt.Errorf("open the engine: %w", err)
	}
	h.stats = stats.New(h.engine, h.runtime.Cgroups(), h.network)
	h.open()
	h.later(h.engine.Close)
	return nil
}

// register registers the machine; a server that is starting is waited for.
func (h *Host) register(ctx context.Context) error {
	h.session = session.New(session.Config{
		Server: h.place(), TLS: h.tls,
		Cluster: h.keys.ClusterARN, Data: h.Data, InstanceID: h.keys.InstanceID, Identity: h.keys.Identity, Zone: h.zone(), Show: h.shown.set, Roads: h.roads, Names: h.spelled, Calls: h.learned,
		Resources: h.offer(), Attributes: h.attributes(), Version: h.Version, Tasks: orders{h}, Log: h.Log,
	})
	for {
		err := h.session.Register(ctx)
		var refused *client.Error
		if err == nil || errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
			return err
		}
		h.Log.Warn("cannot register yet", "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// report tells the server what became of tasks, those of one task in order.
func (h *Host) report(ctx context.Context) {
	for {
		reports, err := h.engine.Reports(ctx)
		if err != nil {
			return
		}
		for _, r := range reports {
			if h.session.Deliver(ctx, &r.Observation) != nil {
				return
			}
			h.engine.Told(r)
		}
	}
}

// name tells this agent's things on the machine from another's: it follows from
// the data folder.
func (h *Host) name() string {
	sum := sha256.Sum256([]byte(h.Data))
	return hex.EncodeToString(sum[:4])
}

func (h *Host) zone() string { return h.keys.Region + h.Zone }

// registryClient is nil where the usual one will do.
func (h *Host) registryClient() *http.Client {
	if h.tls == nil {
		return nil
	}
	return &http.Client{Transport: h.place().Transport()}
}

func (h *Host) puller() engine.Images {
	return &images{image.Puller{Store: h.runtime.Images(), Registry: h.Server, Client: h.registryClient()}, client.New(h.place())}
}

// place is the server with the machine's own keys.
func (h *Host) place() client.Place {
	p := client.Place{Endpoint: h.Server, AccessKeyID: h.keys.AccessKeyID, Secret: h.keys.SecretAccessKey, SessionToken: h.keys.SessionToken, Region: h.keys.Region}
	if h.tls != nil {
		p.CAFile = h.authorityFile()
	}
	return p
}

// address is the host and port of a URL.
func address(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// secretIn reads a random secret, made at first use.
func secretIn(file string) ([]byte, error) {
	if have, err := os.ReadFile(file); err == nil && len(have) == 32 {
		return have, nil
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails, by its documentation
	return fresh, os.WriteFile(file, fresh, 0o600)
}
