package roads_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"

	"github.com/berthhq/berth/conformance/house"
	"github.com/berthhq/berth/conformance/images"
)

// probe is the image of our program.
const probe = "probe:1"

// here is the berth that the tests share; TestMain starts and ends it.
var here *berth

// berth is one `berth up`, and AWS's clients of it.
type berth struct {
	*house.House

	ecs  *ecs.Client
	ec2  *ec2.Client
	elb  *elasticloadbalancingv2.Client
	cmap *servicediscovery.Client
	iam  *iam.Client
	cw   *cloudwatch.Client
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := withBerth(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withBerth(run func() int) (int, error) {
	if os.Geteuid() != 0 {
		return 0, fmt.Errorf("these tests start containers: run them as root")
	}
	dir, err := os.MkdirTemp("", "berth-roads")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	archive := filepath.Join(dir, "images.tar")
	program, err := images.Program(dir, "./probe")
	if err != nil {
		return 0, err
	}
	if err := images.Write(archive, images.Image{Names: []string{probe}, Files: []images.File{program}, Config: images.Config{Entrypoint: []string{"/probe"}}}); err != nil {
		return 0, err
	}
	h, err := house.New(filepath.Join(dir, "data"), "ROADS_LOG")
	if err != nil {
		return 0, err
	}
	here = &berth{House: h}
	c := here.config()
	here.ecs, here.ec2, here.elb, here.cmap = ecs.NewFromConfig(c), ec2.NewFromConfig(c), elasticloadbalancingv2.NewFromConfig(c), servicediscovery.NewFromConfig(c)
	here.iam, here.cw = iam.NewFromConfig(c), cloudwatch.NewFromConfig(c)
	if err := here.Load(archive); err != nil {
		return 0, err
	}
	code := run()
	return code, here.End()
}

// config is that of the account's root.
func (b *berth) config() aws.Config {
	return aws.Config{
		Region: b.Vars["AWS_REGION"], BaseEndpoint: aws.String(b.Vars["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(b.Vars["AWS_ACCESS_KEY_ID"], b.Vars["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// after is a context for what is cleaned up once the test's own is over.
func after(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
