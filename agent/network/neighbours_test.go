package network_test

import (
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/berthhq/berth/agent/network"
)

// dropping makes what a firewall makes: a chain that forwards nothing.
func dropping(t *testing.T, m *machine, docker bool) {
	t.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(m.FD()))
	check(t, err)
	table := conn.AddTable(&nftables.Table{Name: "filter", Family: nftables.TableFamilyIPv4})
	drop := nftables.ChainPolicyDrop
	forward := conn.AddChain(&nftables.Chain{Name: "FORWARD", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward,
		Priority: nftables.ChainPriorityFilter, Policy: &drop})
	if docker {
		conn.AddChain(&nftables.Chain{Name: "DOCKER-USER", Table: table})
		conn.AddRule(&nftables.Rule{Table: table, Chain: forward, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: "DOCKER-USER"}}})
	}
	check(t, conn.Flush())
}

func TestDockerLetsOurPacketsPass(t *testing.T) {
	for name, before := range map[string]bool{"Docker was there": true, "Docker came later": false} {
		m := newMachine(t)
		if before {
			dropping(t, m, true)
		}
		n := open(t, m.config())
		serve(t, m.world, "tcp", ":80", "world")
		s := inside(t, setup(t, n, inBridge(container("app")))["app"])
		if !before {
			dropping(t, m, true)
		}
		eventually(t, func() error { _, err := ask(s, "tcp", worldAddress+":80", impatience); return err })
		if obstacles, err := network.Obstacles(m.Path()); err != nil || len(obstacles) > 0 {
			t.Errorf("%s: obstacles %v, %v", name, obstacles, err)
		}
	}
}

func TestOtherFirewallsAreNamed(t *testing.T) {
	m := newMachine(t)
	if obstacles, err := network.Obstacles(m.Path()); err != nil || len(obstacles) > 0 {
		t.Errorf("obstacles %v, %v", obstacles, err)
	}
	dropping(t, m, false)
	obstacles, err := network.Obstacles(m.Path())
	if err != nil || len(obstacles) != 1 || !strings.Contains(obstacles[0], "chain FORWARD of packet filter table filter") {
		t.Errorf("obstacles %v, %v", obstacles, err)
	}
}
