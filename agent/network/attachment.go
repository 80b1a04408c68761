package network

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// Endpoint is the network of one container.
type Endpoint struct {
	// Space is the path of the namespace to join; empty means the host's.
	Space    string
	Address  netip.Addr // invalid in host and none mode
	MAC      string
	Hostname string
	Hosts    []byte // content of /etc/hosts
	Resolver []byte // content of /etc/resolv.conf
	Bindings []task.Binding
}

// attachment is what a task has on this machine. Its exported fields are kept in
// a file for the next agent.
type attachment struct {
	Task string
	Edge string `json:",omitempty"` // the interface's id, when it is no task's
	// Interface is the id of the network interface; empty in bridge mode.
	Interface string `json:",omitempty"`
	Mode      workload.NetworkMode
	VPC       string `json:",omitempty"`
	Range     netip.Prefix
	Wires     []wire
	Bare      string               `json:",omitempty"` // link name of a namespace without network
	Groups    []task.SecurityGroup `json:",omitempty"`

	router *Router
}

func (a *attachment) wireOf(container string) *wire {
	for i := range a.Wires {
		if a.Wires[i].Container == "" || a.Wires[i].Container == container {
			return &a.Wires[i]
		}
	}
	return nil
}

func (n *Network) recordPath(arn string) string {
	return filepath.Join(n.cfg.RunDir, "task", fmt.Sprintf("%x.json", digest(arn)[:12]))
}

func (n *Network) recordOf(a *attachment) string {
	if a.Edge != "" {
		return filepath.Join(n.cfg.RunDir, "end", a.Edge+".json")
	}
	return n.recordPath(a.Task)
}

func (n *Network) save(a *attachment) error {
	content, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return write(n.recordOf(a), content)
}

// Setup gives a task its network and returns each container's part by name. Asked
// again for a task that has it, it returns the same. What fails leaves nothing.
func (n *Network) Setup(ctx context.Context, o *task.Order) (map[string]Endpoint, error) {
	release, err := n.claim(ctx, o.ARN)
	if err != nil {
		return nil, err
	}
	defer release()
	n.mu.Lock()
	have := n.tasks[o.ARN]
	n.mu.Unlock()
	if have != nil {
		return n.endpoints(o, have), nil
	}
	a := &attachment{Task: o.ARN, Mode: o.NetworkMode}
	if err := n.build(o, a); err != nil {
		return nil, errors.Join(err, n.dismantle(a))
	}
	if err := n.save(a); err != nil {
		return nil, errors.Join(err, n.dismantle(a))
	}
	n.mu.Lock()
	n.tasks[o.ARN] = a
	n.mu.Unlock()
	return n.endpoints(o, a), nil
}

// claim makes the caller the only one at work on the task.
func (n *Network) claim(ctx context.Context, arn string) (release func(), err error) {
	for {
		n.mu.Lock()
		other := n.busy[arn]
		if other == nil {
			mine := make(chan struct{})
			n.busy[arn] = mine
			n.mu.Unlock()
			return func() {
				n.mu.Lock()
				delete(n.busy, arn)
				n.mu.Unlock()
				close(mine)
			}, nil
		}
		n.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (n *Network) build(o *task.Order, a *attachment) error {
	switch o.NetworkMode {
	case workload.AWSVPC:
		return n.buildInterface(o, a)
	case workload.Bridge, "":
		a.Mode = workload.Bridge
		return n.buildBridge(o, a)
	case workload.None:
		a.Bare = newLink()
		return n.bare(a.Bare)
	case workload.Host:
		return nil
	}
	return fmt.Errorf("network mode %q is not known", o.NetworkMode)
}

func (n *Network) buildInterface(o *task.Order, a *attachment) error {
	i := o.Interface
	if i == nil {
		return errors.New("the task's order carries no network interface, which awsvpc needs")
	}
	r, err := netip.ParsePrefix(i.VPCCIDR)
	if err != nil {
		return fmt.Errorf("range of %s: %w", i.VPCID, err)
	}
	ip, err := netip.ParseAddr(i.PrivateIP)
	if err != nil {
		return fmt.Errorf("address of interface %s: %w", i.ID, err)
	}
	if !r.Contains(ip) && !n.told(i.VPCID, ip) {
		return fmt.Errorf("address %s of interface %s is outside %s, the range of %s", ip, i.ID, r, i.VPCID)
	}
	a.VPC, a.Range, a.Groups, a.Interface = i.VPCID, r, i.SecurityGroups, i.ID
	if a.router, err = n.router(a.VPC, a.Range); err != nil {
		return err
	}
	a.Wires = []wire{{Link: newLink(), Address: ip, MAC: i.MAC}}
	return n.connect(a, &a.Wires[0])
}

// connect plugs a wire into the attachment's router.
func (n *Network) connect(a *attachment, w *wire) error {
	return n.plug(a.router, w, a.end(w))
}

func (a *attachment) end(w *wire) *end {
	e := &end{link: w.Link, address: w.Address, iface: a.Interface, peer: Peer{Task: a.Task, Container: w.Container}}
	if a.Mode == workload.AWSVPC {
		e.rules, e.secured = rulesOf(a.Groups)
	}
	return e
}

// Renew gives a task's interfaces their addresses back, for a new gVisor sandbox:
// the one before took them.
func (n *Network) Renew(ctx context.Context, arn string) error {
	release, err := n.claim(ctx, arn)
	if err != nil {
		return err
	}
	defer release()
	n.mu.Lock()
	a := n.tasks[arn]
	n.mu.Unlock()
	if a == nil {
		return fmt.Errorf("task %s has no network here", arn)
	}
	for i := range a.Wires {
		if err := n.renew(&a.Wires[i]); err != nil {
			return err
		}
	}
	return nil
}

// Teardown takes a task's network away. When it returns nothing reaches the task
// and its host ports are free; what takes the kernel long is done later. A task
// without network is no error.
func (n *Network) Teardown(ctx context.Context, arn string) error {
	release, err := n.claim(ctx, arn)
	if err != nil {
		return err
	}
	defer release()
	n.mu.Lock()
	a := n.tasks[arn]
	delete(n.tasks, arn)
	n.mu.Unlock()
	if a == nil {
		return nil
	}
	return n.dismantle(a)
}

func (n *Network) dismantle(a *attachment) error {
	var errs []error
	for i := range a.Wires {
		errs = append(errs, n.disconnect(a.router, &a.Wires[i]))
	}
	if a.Bare != "" {
		errs = append(errs, space.Remove(n.spacePath(a.Bare)))
	}
	return errors.Join(append(errs, ignoreMissing(os.Remove(n.recordOf(a))))...)
}

func (n *Network) disconnect(r *Router, w *wire) error {
	ports := w.targets()
	errs := []error{n.host.unpublish(ports)}
	for b := range ports {
		n.host.ports.release(b)
	}
	if r != nil {
		errs = append(errs, r.detach(w.Link))
		left := waste{router: r, path: n.pathOf(w), address: w.Address}
		if w.Edge != "" { // another may be bound there soon
			errs, left.path = append(errs, space.Remove(left.path)), ""
		}
		n.sweeper.sweep(left)
	}
	return errors.Join(errs...)
}

func hardwareAddress(a netip.Addr) string {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x42, b[0], b[1], b[2], b[3]}.String()
}
