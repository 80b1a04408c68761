package classic_test

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	machine "github.com/berthhq/berth/conformance/house"
	"github.com/berthhq/berth/conformance/images"
)

// harbor is one `berth up`, and AWS's clients of it.
type harbor struct {
	*machine.House

	ecs          *ecs.Client
	ec2          *ec2.Client
	elb          *elb.Client
	certificates *acm.Client
	s3           *s3.Client
	metrics      *cloudwatch.Client
}

// dock is the harbor that the tests share: the first that needs it starts it, TestMain
// ends it.
var dock struct {
	sync.Once
	dir string
	*harbor
	err error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if dock.harbor != nil {
		if err := dock.End(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if dock.dir != "" {
		os.RemoveAll(dock.dir)
	}
	os.Exit(code)
}

// moor gives the harbor.
func moor(t *testing.T) *harbor {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it starts containers")
	}
	dock.Do(func() { dock.harbor, dock.err = newHarbor() })
	if dock.err != nil {
		t.Fatal(dock.err)
	}
	return dock.harbor
}

func newHarbor() (*harbor, error) {
	var err error
	if dock.dir, err = os.MkdirTemp("", "berth-classic"); err != nil {
		return nil, err
	}
	program, err := images.Program(dock.dir, "./probe")
	if err != nil {
		return nil, err
	}
	archive := filepath.Join(dock.dir, "images.tar")
	if err := images.Write(archive, images.Image{Names: []string{"probe:1"}, Files: []images.File{program}, Config: images.Config{Entrypoint: []string{"/probe"}}}); err != nil {
		return nil, err
	}
	up, err := machine.New(filepath.Join(dock.dir, "data"), "CLASSIC_LOG")
	if err != nil {
		return nil, err
	}
	c := aws.Config{
		Region: up.Vars["AWS_REGION"], BaseEndpoint: aws.String(up.Vars["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(up.Vars["AWS_ACCESS_KEY_ID"], up.Vars["AWS_SECRET_ACCESS_KEY"], ""),
	}
	return &harbor{
		House: up, ecs: ecs.NewFromConfig(c), ec2: ec2.NewFromConfig(c), elb: elb.NewFromConfig(c), certificates: acm.NewFromConfig(c),
		metrics: cloudwatch.NewFromConfig(c), s3: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}, up.Load(archive)
}

// patience bounds every wait: the machine may be busy.
const patience = 100 * time.Second

// eventually asks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick, end := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// after is a context for what is cleaned up once the test's own is over.
func after(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// hostPorts are three ports in a row of the machine, below those that the kernel gives
// to outgoing connections.
func hostPorts(t *testing.T) int32 {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(5000))
	if err != nil {
		t.Fatal(err)
	}
	return 16384 + 3*int32(n.Int64())
}

// lowered is the test's name as a balancer or service may have it.
func lowered(t *testing.T) string {
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	return name[:min(len(name), 30)]
}

// place is where a test's things are: the default VPC and its subnets.
type place struct {
	vpc     string
	subnets []string
}

func (h *harbor) place(t *testing.T) place {
	t.Helper()
	out := done[*ec2.DescribeSubnetsOutput](t)(h.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		Filters: []ec2types.Filter{{Name: new("default-for-az"), Values: []string{"true"}}},
	}))
	p := place{vpc: *out.Subnets[0].VpcId}
	for _, s := range out.Subnets {
		p.subnets = append(p.subnets, *s.SubnetId)
	}
	return p
}

// open makes a security group that lets everybody in at the ports.
func (h *harbor) open(t *testing.T, vpc string, ports ...int32) string {
	t.Helper()
	id := done[*ec2.CreateSecurityGroupOutput](t)(h.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: new(lowered(t)), Description: new("of a test"),
	})).GroupId
	t.Cleanup(func() {
		eventually(t, "the group to be in nobody's use", func() bool {
			_, err := h.ec2.DeleteSecurityGroup(after(t), &ec2.DeleteSecurityGroupInput{GroupId: id})
			return err == nil
		})
	})
	in := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: id}
	for _, p := range ports {
		in.IpPermissions = append(in.IpPermissions, ec2types.IpPermission{
			IpProtocol: new("tcp"), FromPort: &p, ToPort: &p, IpRanges: []ec2types.IpRange{{CidrIp: new("0.0.0.0/0")}},
		})
	}
	done[*ec2.AuthorizeSecurityGroupIngressOutput](t)(h.ec2.AuthorizeSecurityGroupIngress(t.Context(), in))
	return *id
}

// node is the address of a balancer's first node, as its interface shows it.
func (h *harbor) node(t *testing.T, name string) string {
	t.Helper()
	out := done[*ec2.DescribeNetworkInterfacesOutput](t)(h.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: new("description"), Values: []string{"ELB " + name}}},
	}))
	if len(out.NetworkInterfaces) == 0 {
		t.Fatalf("no interface of %s", name)
	}
	return *out.NetworkInterfaces[0].PrivateIpAddress
}
