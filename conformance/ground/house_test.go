package ground_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
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

var account = gatewaytest.Scope.Account

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

// equal compares what was read with all that was sent and what AWS adds to it.
func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, text(t, got), text(t, want))
	}
}

func text(t testing.TB, v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

func tags(pairs ...string) []types.Tag {
	var out []types.Tag
	for n := 0; n < len(pairs); n += 2 {
		out = append(out, types.Tag{Key: &pairs[n], Value: &pairs[n+1]})
	}
	return out
}

// tagged is what a request says to give tags to what it makes.
func tagged(kind types.ResourceType, pairs ...string) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: tags(pairs...)}}
}

// retag changes the tags of a resource as Terraform does, from a=1 and gone=1 to a=2.
func (h *house) retag(id *string) {
	h.t.Helper()
	done[*ec2.DeleteTagsOutput](h.t)(h.DeleteTags(background, &ec2.DeleteTagsInput{Resources: []string{*id}, Tags: tags("gone", "1")}))
	done[*ec2.CreateTagsOutput](h.t)(h.CreateTags(background, &ec2.CreateTagsInput{Resources: []string{*id}, Tags: tags("a", "2")}))
	read := done[*ec2.DescribeTagsOutput](h.t)(h.DescribeTags(background, &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-id", *id)}})).Tags
	if len(read) != 1 || *read[0].Key != "a" || *read[0].Value != "2" || *read[0].ResourceId != *id {
		h.t.Errorf("tags of %s: %s", *id, text(h.t, read))
	}
}

// vpc makes one of 10.1.0.0/16.
func (h *house) vpc() *string {
	h.t.Helper()
	return done[*ec2.CreateVpcOutput](h.t)(h.CreateVpc(background, &ec2.CreateVpcInput{CidrBlock: new("10.1.0.0/16")})).Vpc.VpcId
}

// subnet makes one in zone a.
func (h *house) subnet(vpc *string, cidr string) *string {
	h.t.Helper()
	return done[*ec2.CreateSubnetOutput](h.t)(h.CreateSubnet(background, &ec2.CreateSubnetInput{
		VpcId: vpc, CidrBlock: &cidr, AvailabilityZone: new("eu-central-1a"),
	})).Subnet.SubnetId
}

// defaultGroup is the group that a VPC was made with.
func (h *house) defaultGroup(vpc *string) types.SecurityGroup {
	h.t.Helper()
	return done[*ec2.DescribeSecurityGroupsOutput](h.t)(h.DescribeSecurityGroups(background, &ec2.DescribeSecurityGroupsInput{
		Filters: []types.Filter{filter("vpc-id", *vpc), filter("group-name", "default")},
	})).SecurityGroups[0]
}

// resource is the ARN of a part of EC2.
func resource(kind string, id *string) *string {
	return new("arn:aws:ec2:eu-central-1:" + account + ":" + kind + "/" + *id)
}
