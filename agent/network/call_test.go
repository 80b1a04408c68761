package network_test

import (
	"context"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network"
	vpc "github.com/berthhq/berth/domain/network"
)

// caught keeps the routers that a network makes, by VPC.
func caught(cfg network.Config, routers map[string]*network.Router) network.Config {
	cfg.Services = func(r *network.Router) (io.Closer, error) {
		routers[r.VPC] = r
		return both{}, nil
	}
	return cfg
}

// call is what a server says to a router that calls in the name of an address.
func call(r *network.Router, as, to string, within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := r.Dial(ctx, netip.MustParseAddr(as), netip.MustParseAddrPort(to))
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(within))
	said, err := io.ReadAll(c)
	return string(said), err
}

func wantCall(t *testing.T, r *network.Router, as, to, want string) {
	t.Helper()
	if got, err := call(r, as, to, patience); err != nil || got != want {
		t.Errorf("%s calls %s: got %q, %v; want %q", as, to, got, err, want)
	}
}

func wantNoCall(t *testing.T, r *network.Router, as, to string) {
	t.Helper()
	if got, err := call(r, as, to, impatience); err == nil {
		t.Errorf("%s calls %s: got %q, want no answer", as, to, got)
	}
}

// Rules hold for what a router calls in the name of a task, on its host and on others:
// of the caller what goes out, of the called what comes in, by port and by member.
func TestCallsAreTheTasksOwn(t *testing.T) {
	p := &pair{machines: [2]*machine{newMachine(t), newMachine(t)}}
	cable(t, p.machines[0].Space, "lan", underlays[0]+"/24", p.machines[1].Space, "lan", underlays[1]+"/24")
	routers := map[string]*network.Router{}
	for i, m := range p.machines {
		cfg := m.config()
		cfg.Underlay = netip.MustParseAddr(underlays[i])
		if i == 0 {
			cfg = caught(cfg, routers)
		}
		p.networks[i] = open(t, cfg)
	}
	a, endA := p.task(t, 0, "10.0.0.4")
	near, endNear := p.task(t, 0, "10.0.0.5")
	far, endFar := p.task(t, 1, "10.0.0.6")
	_, endB := p.task(t, 0, "10.0.0.7")
	serve(t, a, "tcp", ":80", "own")
	serve(t, near, "tcp", ":80", "near")
	serve(t, far, "tcp", ":80", "far")
	endB.Groups = []string{"sg-2"}
	endNear.Doors, endFar.Doors = []vpc.Door{{At: 9090, To: 80}}, []vpc.Door{{At: 9090, To: 80}}
	tell := func(ports ...int) {
		t.Helper()
		var rules []vpc.Rule
		for _, port := range ports {
			rules = append(rules, vpc.Rule{Protocol: "tcp", FromPort: port, ToPort: port, Group: "sg-1"})
		}
		groups := append(group(rules...), vpc.GroupState{ID: "sg-2", Egress: []vpc.Rule{all("0.0.0.0/0")}})
		members := map[string][]netip.Addr{"sg-1": {endA.Address, endNear.Address, endFar.Address}}
		p.tell(t, groups, members, [2][]vpc.End{{endA, endNear, endB}, {endFar}})
	}
	tell(80)
	r := routers["vpc-a"]
	wantCall(t, r, "10.0.0.4", "10.0.0.5:80", "near 10.0.0.4")
	wantCall(t, r, "10.0.0.4", "10.0.0.6:80", "far 10.0.0.4")
	wantCall(t, r, "10.0.0.4", "10.0.0.4:80", "own "+network.GatewayAddress)
	wantNoCall(t, r, "10.0.0.7", "10.0.0.5:80") // no member of the group that is let in
	wantNoCall(t, r, "10.0.0.7", "10.0.0.6:80")
	wantNoCall(t, r, "10.0.0.4", "10.0.0.5:9090")

	tell(9090)
	for _, to := range []string{"10.0.0.5", "10.0.0.6"} {
		wantNoCall(t, r, "10.0.0.4", to+":80") // the rule is about the door
	}
	wantCall(t, r, "10.0.0.4", "10.0.0.5:9090", "near 10.0.0.4")
	wantCall(t, r, "10.0.0.4", "10.0.0.6:9090", "far 10.0.0.4")
	wantAnswer(t, a, "tcp", "10.0.0.5:9090", "near 10.0.0.4")
	wantAnswer(t, a, "tcp", "10.0.0.6:9090", "far 10.0.0.4")

	shut := append(group(all("0.0.0.0/0")), vpc.GroupState{ID: "sg-2"})
	p.tell(t, shut, nil, [2][]vpc.End{{endA, endNear, endB}, {endFar}})
	wantCall(t, r, "10.0.0.4", "10.0.0.5:80", "near 10.0.0.4")
	wantNoCall(t, r, "10.0.0.7", "10.0.0.5:80") // its own group lets nothing out
}

// Calls from bridge mode, and what is called there, go the way of the tasks' own.
func TestCallsToAndFromBridgeMode(t *testing.T) {
	m := newMachine(t)
	routers := map[string]*network.Router{}
	n := open(t, caught(m.config(), routers))
	web := inVPC("vpc-default", cidr, "10.0.0.4")
	w := inside(t, setup(t, n, web)["app"])
	bridged := setup(t, n, inBridge(container("app", dynamic(80, "tcp"))))["app"]
	serve(t, w, "tcp", ":80", "web")
	serve(t, inside(t, bridged), "tcp", ":80", "bridged")
	apply(t, n, stateOf("vpc-default", group(all("0.0.0.0/0")), web))
	wantCall(t, routers[""], bridged.Address.String(), "10.0.0.4:80", "web "+bridged.Address.String())
	if got, err := call(routers["vpc-default"], "10.0.0.4", at(machineAddress, hostPort(t, bridged)), patience); err != nil || got[:8] != "bridged " {
		t.Errorf("got %q, %v", got, err)
	}
	apply(t, n, stateOf("vpc-default", group(), web))
	wantNoCall(t, routers[""], bridged.Address.String(), "10.0.0.4:80")
}

// A router answers at every address of Callable where somebody listens, to its tasks
// only, and refuses the rest at once.
func TestCallableAddresses(t *testing.T) {
	m := newMachine(t)
	routers := map[string]*network.Router{}
	n := open(t, caught(m.config(), routers))
	o := inVPC("vpc-default", cidr, "10.0.0.4")
	s := inside(t, setup(t, n, o)["app"])
	setup(t, n, inVPC("vpc-other", cidr, "10.0.0.4"))
	l, err := routers["vpc-default"].Listen(context.Background(), "169.254.65.7:80")
	check(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			peer, _ := routers["vpc-default"].Peer(c)
			io.WriteString(c, peer.Task)
			c.Close()
		}
	}()
	wantAnswer(t, s, "tcp", "169.254.65.7:80", o.ARN)
	wantNoAnswer(t, s, "tcp", "169.254.65.7:81")
	wantNoAnswer(t, s, "tcp", "169.254.65.8:80")
	wantNoAnswer(t, m.Space, "tcp", "169.254.65.7:80")
	if p, ok := routers["vpc-default"].At(netip.MustParseAddr("10.0.0.4")); !ok || p.Task != o.ARN {
		t.Errorf("at its address is %+v", p)
	}
}
