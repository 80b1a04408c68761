package classic_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/smithy-go"

	acmapi "github.com/berthhq/berth/aws/api/acm"
	ec2api "github.com/berthhq/berth/aws/api/ec2"
	elbapi "github.com/berthhq/berth/aws/api/elb"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	acmshape "github.com/berthhq/berth/aws/shape/acm"
	ec2shape "github.com/berthhq/berth/aws/shape/ec2"
	elbshape "github.com/berthhq/berth/aws/shape/elb"
	elbv2shape "github.com/berthhq/berth/aws/shape/elbv2"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// house is the services behind one gateway, with clients.
type house struct {
	*gatewaytest.Server
	t            testing.TB
	ahead        time.Duration // of the real time
	keyring      *keyring.Keyring
	api          *acmapi.API
	certificates *acm.Client
	balancers    *elb.Client
	subnets      []string // of zones a, b and c
	group        string   // the VPC's default security group
}

func (h *house) now() time.Time { return time.Now().Add(h.ahead) }

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h.Server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		v, err := vault.Open(t.TempDir(), st.View(), h.now())
		if err != nil {
			t.Fatal(err)
		}
		domains, err := authority.Open(t.TempDir(), h.now())
		if err != nil {
			t.Fatal(err)
		}
		h.keyring = &keyring.Keyring{Vault: v, Log: log}
		h.api = acmapi.New(acmapi.Config{Store: st, Keyring: h.keyring, Authority: domains})
		second, machines := elbv2.New(elbv2.Config{Store: st, Keyring: h.keyring}), ec2api.New(st, network.DefaultCIDR)
		first := elbapi.New(elbapi.Config{Store: st, Nodes: second, NewID: second.NewID, Log: log})
		return []gateway.Offer{
			{Service: acmshape.API, Handlers: h.api.Operations(), Needs: h.api.Needs()},
			{Service: elbshape.API, Handlers: first.Operations(), Needs: first.Needs()},
			{Service: elbv2shape.API, Handlers: second.Operations(), Needs: second.Needs()},
			{Service: ec2shape.API, Handlers: machines.Operations()},
			{Service: stsshape.API, Handlers: sts.New(sts.Config{Store: st}).Operations()}, // Terraform asks who calls
		}
	}, func(o *gateway.Options) { o.Clock, o.Log = h.now, log })
	h.Furnish(t)
	d := network.NewDefault(gatewaytest.Scope, network.DefaultCIDR, "")
	h.group = d.Group.ID
	for _, s := range d.Subnets {
		h.subnets = append(h.subnets, s.ID)
	}
	h.certificates, h.balancers = acm.NewFromConfig(h.Config(h.Root)), elb.NewFromConfig(h.Config(h.Root))
	return h
}

var background = context.Background()

// done fails the test on an error, and hands the answer on.
func done[T any](t testing.TB) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused holds that an error is of the kind, and says the words.
func refused(t testing.TB, err error, kind, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != kind || !strings.Contains(api.ErrorMessage(), words) {
		t.Errorf("got  %v\nwant %s: %s", err, kind, words)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
