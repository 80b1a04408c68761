package network

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Docker drops whatever it does not forward itself, ahead of everybody's rules,
// and offers one chain to others.
// https://docs.docker.com/engine/network/packet-filtering-firewalls/
const (
	dockerTable = "filter"
	dockerChain = "DOCKER-USER"
)

// ruleOwner marks the rules of ours in others' chains.
const ruleOwner = "berth"

// befriendDocker lets packets of tasks pass Docker's chain. Without Docker it
// does nothing.
func (h *host) befriendDocker() error {
	return h.atDocker(func(conn *nftables.Conn, chain *nftables.Chain, ours []*nftables.Rule) {
		if len(ours) > 0 {
			return
		}
		for _, key := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
			conn.InsertRule(&nftables.Rule{Table: chain.Table, Chain: chain, UserData: []byte(ruleOwner), Exprs: []expr.Any{
				&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte(linkPrefix)},
				&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictAccept},
			}})
		}
	})
}

// atDocker makes one change of Docker's chain, if there is one.
func (h *host) atDocker(change func(conn *nftables.Conn, chain *nftables.Chain, ours []*nftables.Rule)) error {
	conn, err := nftables.New(nftables.WithNetNSFd(h.space.FD()))
	if err != nil {
		return err
	}
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return fmt.Errorf("look for Docker's packet filter: %w", err)
	}
	for _, c := range chains {
		if c.Table.Name != dockerTable || c.Name != dockerChain {
			continue
		}
		rules, err := conn.GetRules(c.Table, c)
		if err != nil {
			return fmt.Errorf("read Docker's packet filter: %w", err)
		}
		var ours []*nftables.Rule
		for _, r := range rules {
			if bytes.Equal(r.UserData, []byte(ruleOwner)) {
				ours = append(ours, r)
			}
		}
		change(conn, c, ours)
		return conn.Flush()
	}
	return nil
}

// Obstacles tells, in words with a remedy, what other packet filters of the host
// (a path, or empty for the process's own) will stop tasks' traffic.
func Obstacles(hostPath string) ([]string, error) {
	s, err := openSpace(hostPath)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	conn, err := nftables.New(nftables.WithNetNSFd(s.FD()))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyINet} {
		chains, err := conn.ListChainsOfTableFamily(family)
		if err != nil {
			return nil, fmt.Errorf("list packet filters: %w", err)
		}
		all = append(all, droppers(chains)...)
	}
	return all, nil
}

func droppers(chains []*nftables.Chain) []string {
	var all []string
	for _, c := range chains {
		forwards := c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookForward && c.Type == nftables.ChainTypeFilter
		drops := c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop
		if forwards && drops && !hasDocker(chains, c.Table.Name) {
			all = append(all, fmt.Sprintf("chain %s of packet filter table %s drops forwarded packets, those of tasks too: allow what comes in or goes out by links named %s* "+
				"(with iptables: iptables -I FORWARD -i %[3]s+ -j ACCEPT; iptables -I FORWARD -o %[3]s+ -j ACCEPT)", c.Name, c.Table.Name, linkPrefix))
		}
	}
	return all
}

func hasDocker(chains []*nftables.Chain, table string) bool {
	for _, c := range chains {
		if c.Table.Name == table && table == dockerTable && c.Name == dockerChain {
			return true
		}
	}
	return false
}

// warn logs what keeps tasks from the world.
func (h *host) warn() error {
	obstacles, err := Obstacles(h.cfg.Host)
	for _, o := range obstacles {
		h.cfg.Log.Warn("tasks may not reach the world: " + o)
	}
	return errors.Join(err, h.befriendDocker())
}
