// Package network gives tasks their networks on one machine.
//
// Each VPC that has tasks here gets a router: a network namespace with routes,
// packet filter and sockets of its own, so that VPCs with equal ranges never
// meet. One more router serves bridge mode. A task (in bridge mode a container)
// lives in a namespace of its own, joined to its router by a routed veth pair:
// a /32 address, the gateway 169.254.1.1, no bridge. A router is joined to the
// host the same way.
//
//	task eth0 ── veth ── router ── uplink ── host ── the world
//
// All of it outlives the agent and is found again by Open.
package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"sync"

	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Config says how an agent's network is to be.
type Config struct {
	// Agent tells this agent from others on the machine; it names what the agent
	// makes in the host's namespace and must be the same after a restart.
	Agent string
	// RunDir keeps namespaces and records, one agent's only. It may survive a
	// reboot or not.
	RunDir string
	Log    *slog.Logger

	// Host is the path of the network namespace to build upon; empty means the
	// process's own.
	Host string
	// HostVPC is the id of the VPC whose tasks the host itself can reach; empty
	// means none.
	HostVPC string
	// ReservedPorts are never given out as dynamic host ports.
	ReservedPorts []int
	// LoopbackOnly publishes host ports to the host and its tasks, not to other
	// machines.
	LoopbackOnly bool
	// Underlay is the host's address at which other hosts' packets of VPCs arrive;
	// invalid on a host by itself. With one, links of tasks carry smaller packets.
	Underlay netip.Addr
	// Routed are ranges that the network around leads to this host: from public
	// addresses in them packets leave as they are, from others as the host's.
	Routed []netip.Prefix
	// HostTasks restricts host mode tasks; nil when they cannot be told from the
	// host's own processes.
	HostTasks *HostTasks

	// Services starts what a router offers its tasks (metadata, DNS) before the
	// first task of the router is set up, and again when a restarted agent finds
	// the router. nil means nothing. What it returns is closed by Close.
	Services func(*Router) (io.Closer, error)
}

// Network is the network of one agent.
type Network struct {
	cfg     Config
	log     *slog.Logger
	host    *host
	sweeper *sweeper

	mu      sync.Mutex
	routers map[string]*Router        // by VPC id; "" is bridge mode's
	tasks   map[string]*attachment    // by task ARN
	edges   map[string]*attachment    // by interface id: those that are no task's
	states  map[string]*network.State // by VPC id, as the control plane told them
	busy    map[string]chan struct{}
}

// Open takes up what an earlier agent with the same RunDir left, and prepares
// the host. Tasks found are kept until Keep or Teardown says otherwise.
func Open(ctx context.Context, cfg Config) (*Network, error) {
	if cfg.Agent == "" || cfg.RunDir == "" || cfg.Log == nil {
		return nil, errors.New("network: Agent, RunDir and Log must be set")
	}
	if err := os.MkdirAll(cfg.RunDir, 0o700); err != nil {
		return nil, err
	}
	h, err := openHost(cfg)
	if err != nil {
		return nil, err
	}
	n := &Network{
		cfg: cfg, log: cfg.Log, host: h, sweeper: newSweeper(h, cfg.Log),
		routers: map[string]*Router{}, tasks: map[string]*attachment{}, busy: map[string]chan struct{}{},
		edges: map[string]*attachment{}, states: map[string]*network.State{},
	}
	if err := n.adopt(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("take up the network left by an earlier agent: %w", err), n.Close())
	}
	if err := h.assert(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.bringAll(ctx)
	h.guard(cfg.Log)
	return n, nil
}

// Keep tears down every task that is not listed.
func (n *Network) Keep(ctx context.Context, tasks []string) error {
	wanted := map[string]bool{}
	for _, arn := range tasks {
		wanted[arn] = true
	}
	var errs []error
	for _, arn := range n.known() {
		if !wanted[arn] {
			errs = append(errs, n.Teardown(ctx, arn))
		}
	}
	return errors.Join(errs...)
}

func (n *Network) known() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var arns []string
	for arn := range n.tasks {
		arns = append(arns, arn)
	}
	return arns
}

// Private is the host-private range of this agent: bridge mode addresses and the
// links to routers.
func (n *Network) Private() netip.Prefix { return n.host.private }

// HostReach is nil when the host reaches the tasks of the HostVPC, else it says
// why not. Tasks work all the same.
func (n *Network) HostReach() error {
	n.host.mu.Lock()
	defer n.host.mu.Unlock()
	return n.host.unreached
}

// Secure replaces the security groups of a task that has an interface of its own,
// if they are others.
func (n *Network) Secure(ctx context.Context, arn string, groups []task.SecurityGroup) error {
	release, err := n.claim(ctx, arn)
	if err != nil {
		return err
	}
	defer release()
	n.mu.Lock()
	a := n.tasks[arn]
	n.mu.Unlock()
	if a == nil || a.Mode != workload.AWSVPC {
		return fmt.Errorf("task %s has no interface of its own here", arn)
	}
	if reflect.DeepEqual(a.Groups, groups) {
		return nil
	}
	a.Groups = groups
	if err := n.save(a); err != nil {
		return err
	}
	return a.router.secure(a.Wires[0].Link, groups)
}

// Close lets go of everything and leaves it working: tasks keep their networks.
func (n *Network) Close() error {
	n.sweeper.close()
	var errs []error
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.routers {
		errs = append(errs, r.close())
	}
	return errors.Join(append(errs, n.host.close())...)
}

// Destroy tears down all tasks and routers and what Open changed on the host's
// packet filter and routes. The Network cannot be used afterwards.
func (n *Network) Destroy(ctx context.Context) error {
	errs := []error{n.Keep(ctx, nil), n.Only(ctx, nil)}
	n.sweeper.close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.routers {
		errs = append(errs, r.destroy())
	}
	errs = append(errs, n.host.destroy(), n.host.close(), os.RemoveAll(n.cfg.RunDir))
	return errors.Join(errs...)
}
