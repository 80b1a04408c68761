package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/store"
)

// begin makes what the first start makes, and tells clients and the agent of
// this machine how to reach us. Every step can be repeated.
func (s *Server) begin(ctx context.Context) error {
	root, err := authority.RootKey(ctx, s.store, s.Home.Account, s.RootKeyID, s.RootSecret, s.Now())
	if err != nil {
		return fmt.Errorf("administrator's key: %w", err)
	}
	cidr, err := s.defaultRange()
	if err != nil {
		return err
	}
	if _, err := ec2.EnsureDefaultVPC(ctx, s.store, s.Home, cidr); err != nil {
		return err
	}
	if err := s.ensureIdentities(ctx); err != nil {
		return err
	}
	if err := s.ensureCluster(ctx); err != nil {
		return err
	}
	if err := s.sessions.Reset(ctx); err != nil {
		return fmt.Errorf("forget old sessions: %w", err)
	}
	if err := s.offerToken(ctx); err != nil {
		return err
	}
	if s.EnvDir == "" {
		return nil
	}
	place := client.Place{Endpoint: s.endpoint(), AccessKeyID: root.ID, Secret: root.Secret, Region: s.Home.Region}
	if s.secure() {
		place.CAFile = filepath.Join(s.Data, "authority", authority.CertificateFile)
	}
	return place.WriteEnv(s.EnvDir)
}

// ensureIdentities keeps AWS's managed policies as they should be, and makes the
// roles of the first start; if bare, that of this machine's agent alone.
func (s *Server) ensureIdentities(ctx context.Context) error {
	err := iam.EnsureManagedPolicies(ctx, s.store, s.Now())
	switch {
	case err != nil:
		return err
	case !s.Bare:
		return iam.EnsureFirstRoles(ctx, s.store, s.Home, s.Now())
	case s.AgentToken != "":
		return iam.EnsureMachineRole(ctx, s.store, s.Home, s.Now())
	}
	return nil
}

// machineRole is the role that this machine's agent joins in.
func (s *Server) machineRole() string {
	if s.Bare {
		return iam.MachineRole
	}
	return iam.InstanceRole
}

// ensureCluster makes the cluster `default` at the first start, unless bare. It makes
// no service-linked role: stacks that make ECS's themselves must find the name free.
func (s *Server) ensureCluster(ctx context.Context) error {
	arn := s.Home.Cluster(DefaultCluster)
	if _, ok := store.Clusters.Get(s.store.View(), arn); ok || s.Bare {
		return nil
	}
	_, err := s.store.Update(ctx, func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{Scope: s.Home, ARN: arn, Name: DefaultCluster, Status: cluster.Active, CreatedAt: s.Now()})
		return nil
	})
	return err
}

// offerToken leaves a join token for the agent of this machine, which deletes it
// when it has joined. A token nobody used ends by itself.
func (s *Server) offerToken(ctx context.Context) error {
	if s.AgentToken == "" {
		return nil
	}
	token, err := s.joins.CreateToken(ctx, s.Home, s.Home.Cluster(DefaultCluster), s.Home.Global("iam", "role/"+s.machineRole()))
	if err != nil {
		return err
	}
	part := s.AgentToken + ".part"
	if err := os.WriteFile(part, []byte(token.String()+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(part, s.AgentToken)
}

// defaultRange is the range of default VPCs, chosen at the first start and kept.
func (s *Server) defaultRange() (netip.Prefix, error) {
	file := filepath.Join(s.Data, "default-vpc-range")
	if text, err := os.ReadFile(file); err == nil {
		return netip.ParsePrefix(strings.TrimSpace(string(text)))
	}
	used, err := hostNetworks()
	if err != nil {
		return netip.Prefix{}, err
	}
	p, err := freeRange(used)
	if err != nil {
		return netip.Prefix{}, err
	}
	if p.String() != defaultRanges[0] {
		s.Log.Warn("the default VPC has another range than AWS's, which a network of this host uses", "range", p)
	}
	return p, os.WriteFile(file, []byte(p.String()+"\n"), 0o600)
}

// endpoint is where clients on this machine find us.
func (s *Server) endpoint() string {
	if s.secure() {
		_, port, _ := net.SplitHostPort(s.Listen)
		return "https://" + net.JoinHostPort(s.names()[0], port)
	}
	return "http://" + s.Listen
}

// secure tells that we answer over TLS: everywhere but on loopback alone.
func (s *Server) secure() bool {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return host != "localhost" && (err != nil || !ip.IsLoopback())
}
