package ground_test

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"

	ec2api "github.com/berthhq/berth/aws/api/ec2"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	ec2shape "github.com/berthhq/berth/aws/shape/ec2"
	elbshape "github.com/berthhq/berth/aws/shape/elbv2"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/store"
)

const account = "123456789012"

var background = context.Background()

// house is EC2 behind a gateway, with a client.
type house struct {
	*gatewaytest.Server
	*ec2.Client
	t testing.TB
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t}
	h.Server = gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		net, callers := ec2api.New(st, network.DefaultCIDR), sts.New(sts.Config{Store: st})
		balancers := elbv2.New(elbv2.Config{Store: st, Public: public})
		return []gateway.Offer{
			{Service: ec2shape.API, Handlers: net.Operations(), Needs: net.Needs()},
			{Service: elbshape.API, Handlers: balancers.Operations(), Needs: balancers.Needs()},
			{Service: stsshape.API, Handlers: callers.Operations(), Needs: callers.Needs()},
		}
	}, nil)
	h.Client = ec2.NewFromConfig(h.Config(h.Root))
	return h
}

// public is a pool with an address for each private one.
func public(_ *store.Tx, i *network.Interface) (netip.Addr, error) {
	b := i.PrivateIP.As4()
	return netip.AddrFrom4([4]byte{203, 0, 113, b[3]}), nil
}

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
