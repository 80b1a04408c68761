package balancers_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	ec2shape "github.com/berthhq/berth/aws/shape/ec2"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// house is the service behind a gateway, with a client.
type house struct {
	*gatewaytest.Server
	*elb.Client
	t       testing.TB
	keyring *keyring.Keyring
	objects objects
	vpc     string
	subnets []string // of zones a, b and c
	group   string   // the VPC's default security group
}

// objects are what lies in S3, by bucket and key.
type objects map[string][]byte

func (o objects) Object(_ context.Context, bucket, key, _ string) ([]byte, bool, error) {
	content, ok := o[bucket+"/"+key]
	return content, ok, nil
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, objects: objects{}}
	h.Server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		v := done[*vault.Vault](t)(vault.Open(t.TempDir(), st.View(), time.Now()))
		h.keyring = &keyring.Keyring{Vault: v, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
		api := elbv2.New(elbv2.Config{Store: st, Keyring: h.keyring, Objects: h.objects, Public: public})
		return []gateway.Offer{
			{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()},
			{Service: ec2shape.API, Handlers: ec2.New(st, network.DefaultCIDR).Operations()},
			{Service: stsshape.API, Handlers: sts.New(sts.Config{Store: st}).Operations()}, // Terraform asks who calls
		}
	}, nil)
	h.Furnish(t)
	d := network.NewDefault(gatewaytest.Scope, network.DefaultCIDR, "")
	h.vpc, h.group = d.VPC.ID, d.Group.ID
	for _, s := range d.Subnets {
		h.subnets = append(h.subnets, s.ID)
	}
	h.Client = elb.NewFromConfig(h.Config(h.Root))
	return h
}

// public is a pool with an address for each private one.
func public(_ *store.Tx, i *network.Interface) (netip.Addr, error) {
	b := i.PrivateIP.As4()
	return netip.AddrFrom4([4]byte{203, 0, 113, b[3]}), nil
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

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

// certificate puts a certificate into the store, as importing it does.
func (h *house) certificate(id string) string {
	name := gatewaytest.Scope.Of("acm", "certificate/"+id)
	h.Put(h.t, func(tx *store.Tx) {
		store.Certificates.Put(tx, &balancer.Certificate{Scope: gatewaytest.Scope, ARN: name, Domain: id + ".example.com"})
	})
	return name
}

// alb makes an Application balancer in zones a and b.
func (h *house) alb(name string) *types.LoadBalancer {
	h.t.Helper()
	out := done[*elb.CreateLoadBalancerOutput](h.t)(h.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{Name: &name, Subnets: h.subnets[:2]}))
	return &out.LoadBalancers[0]
}

// nlb makes an internal Network balancer in zone a.
func (h *house) nlb(name string) *types.LoadBalancer {
	h.t.Helper()
	out := done[*elb.CreateLoadBalancerOutput](h.t)(h.CreateLoadBalancer(background, &elb.CreateLoadBalancerInput{
		Name: &name, Subnets: h.subnets[:1], Type: types.LoadBalancerTypeEnumNetwork, Scheme: types.LoadBalancerSchemeEnumInternal,
	}))
	return &out.LoadBalancers[0]
}

// targets makes a group of addresses.
func (h *house) targets(name string, protocol types.ProtocolEnum) string {
	h.t.Helper()
	out := done[*elb.CreateTargetGroupOutput](h.t)(h.CreateTargetGroup(background, &elb.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: new(int32(80)), VpcId: &h.vpc, TargetType: types.TargetTypeEnumIp,
	}))
	return *out.TargetGroups[0].TargetGroupArn
}

// listener makes a listener that leads to a group.
func (h *house) listener(b *types.LoadBalancer, protocol types.ProtocolEnum, port int32, group string) string {
	h.t.Helper()
	out := done[*elb.CreateListenerOutput](h.t)(h.CreateListener(background, &elb.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Protocol: protocol, Port: &port, DefaultActions: []types.Action{forward(group)},
	}))
	return *out.Listeners[0].ListenerArn
}

func forward(group string) types.Action {
	return types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}
}

// nodes are the interfaces that are held for balancers.
func (h *house) nodes() (list []*network.Interface) {
	for i := range store.Interfaces.All(h.Store.View()) {
		if i.Kind == network.ForBalancer && i.ReleasedAt.IsZero() {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *network.Interface) int { return strings.Compare(a.Zone, b.Zone) })
	return list
}

func attribute(list []types.LoadBalancerAttribute, name string) string {
	for _, a := range list {
		if *a.Key == name {
			return *a.Value
		}
	}
	return "-"
}
