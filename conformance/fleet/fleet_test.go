package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/berthhq/berth/conformance/images"
)

const logGroup = "/fleet"

// fleet is a control plane on a machine of its own, and AWS's clients of it.
type fleet struct {
	t      *testing.T
	wire   *wire
	server *machine
	ecs    *ecs.Client
	ec2    *ec2.Client
	elb    *elasticloadbalancingv2.Client
	old    *elasticloadbalancing.Client
	logs   *cloudwatchlogs.Client
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	if _, err := os.Stat(berth); err != nil {
		t.Skipf("%v: run make build", err)
	}
	w := newWire(t)
	f := &fleet{t: t, wire: w, server: w.machine()}
	s := f.server
	socket := filepath.Join(s.data, "storage.sock")
	s.start("storage", "--data", filepath.Join(s.data, "storage"), "--socket", socket)
	s.start("server", "--data", s.data, "--listen", s.address+":443", "--expose", "--storage", socket)
	f.connect()
	return f
}

// connect makes the clients, once the server answers.
func (f *fleet) connect() {
	f.t.Helper()
	trust := x509.NewCertPool()
	transport := &http.Transport{DialContext: f.server.dial, TLSClientConfig: &tls.Config{RootCAs: trust}}
	endpoint := "https://" + f.server.address
	until(f.t, "the server", func() bool {
		if authority, err := os.ReadFile(filepath.Join(f.server.data, "authority", "authority.crt")); err == nil {
			trust.AppendCertsFromPEM(authority)
		}
		resp, err := (&http.Client{Transport: transport}).Get(endpoint + "/_berth/health")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	text, err := os.ReadFile(filepath.Join(f.server.data, "env"))
	if err != nil {
		f.t.Fatal(err)
	}
	vars := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		vars[name] = value
	}
	config := aws.Config{
		Region: vars["AWS_REGION"], BaseEndpoint: &endpoint, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"], ""),
	}
	f.ecs, f.ec2, f.logs = ecs.NewFromConfig(config), ec2.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	f.elb, f.old = elasticloadbalancingv2.NewFromConfig(config), elasticloadbalancing.NewFromConfig(config)
}

// join adds a machine to the cluster.
func (f *fleet) join(more ...string) *machine {
	f.t.Helper()
	m := f.wire.machine()
	token := filepath.Join(m.data, "token")
	if err := os.WriteFile(token, []byte(f.server.must("token", "create", "--data", f.server.data)), 0o600); err != nil {
		f.t.Fatal(err)
	}
	m.start(append([]string{"agent", "--data", filepath.Join(m.data, "agent"), "--server", "https://" + f.server.address, "--token", token}, more...)...)
	return m
}

// instances are the connected ones.
func (f *fleet) instances() []types.ContainerInstance {
	f.t.Helper()
	list, err := f.ecs.ListContainerInstances(f.t.Context(), &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
	if err != nil {
		f.t.Fatal(err)
	}
	if len(list.ContainerInstanceArns) == 0 {
		return nil
	}
	out, err := f.ecs.DescribeContainerInstances(f.t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		f.t.Fatal(err)
	}
	return out.ContainerInstances
}

// load puts a busybox image in the registry.
func (f *fleet) load(name string) {
	f.t.Helper()
	img, err := images.Busybox(name)
	if err != nil {
		f.t.Skip(err)
	}
	file := filepath.Join(f.t.TempDir(), "image.tar")
	if err := images.Write(file, img); err != nil {
		f.t.Fatal(err)
	}
	f.server.must("image", "load", "--data", f.server.data, file)
}

func (f *fleet) define(in *ecs.RegisterTaskDefinitionInput, script string) string {
	f.t.Helper()
	in.ContainerDefinitions = []types.ContainerDefinition{{
		Name: aws.String("main"), Image: aws.String("busybox:1"), Command: []string{"sh", "-c", script}, Memory: aws.Int32(128),
		LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": logGroup, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "s", "awslogs-create-group": "true", "mode": "blocking",
		}},
	}}
	out, err := f.ecs.RegisterTaskDefinition(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// run runs tasks to their end and describes them.
func (f *fleet) run(in *ecs.RunTaskInput) []types.Task {
	f.t.Helper()
	ran, err := f.ecs.RunTask(f.t.Context(), in)
	if err != nil || len(ran.Failures) > 0 {
		f.t.Fatalf("%v %+v", err, ran)
	}
	about := &ecs.DescribeTasksInput{}
	for _, task := range ran.Tasks {
		about.Tasks = append(about.Tasks, *task.TaskArn)
	}
	waiter := ecs.NewTasksStoppedWaiter(f.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second })
	ended, err := waiter.WaitForOutput(f.t.Context(), about, 2*time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	return ended.Tasks
}

// printed waits until the task's log has a line with the text.
func (f *fleet) printed(task types.Task, text string) {
	f.t.Helper()
	arn := *task.TaskArn
	until(f.t, text+" in the log", func() bool {
		out, err := f.logs.GetLogEvents(f.t.Context(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(logGroup), LogStreamName: aws.String("s/main" + arn[strings.LastIndexByte(arn, '/'):]), StartFromHead: aws.Bool(true),
		})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, e := range out.Events {
			if strings.Contains(*e.Message, text) {
				return true
			}
		}
		return false
	})
}

func (f *fleet) subnets() []string {
	f.t.Helper()
	out, err := f.ec2.DescribeSubnets(f.t.Context(), &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}}})
	if err != nil {
		f.t.Fatal(err)
	}
	var ids []string
	for _, s := range out.Subnets {
		ids = append(ids, *s.SubnetId)
	}
	return ids
}

func wantExit0(t *testing.T, task types.Task) {
	t.Helper()
	if code := task.Containers[0].ExitCode; code == nil || *code != 0 {
		t.Errorf("%s: %s: %s", *task.TaskArn, aws.ToString(task.StoppedReason), aws.ToString(task.Containers[0].Reason))
	}
}

// TestTwoMachinesShareTheTasks runs tasks on two hosts that joined one server.
//
// Proves 1.4.
func TestTwoMachinesShareTheTasks(t *testing.T) {
	f := newFleet(t)
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "a")
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b", "--fargate")
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })

	t.Run("spread", func(t *testing.T) {
		def := f.define(&ecs.RegisterTaskDefinitionInput{Family: aws.String("spread"), NetworkMode: types.NetworkModeBridge},
			`wget -q -O /dev/null $AWS_ENDPOINT_URL/_berth/health && echo the API answers`)
		tasks := f.run(&ecs.RunTaskInput{TaskDefinition: &def, Count: aws.Int32(4), PlacementStrategy: []types.PlacementStrategy{
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:ecs.availability-zone")},
		}})
		held := map[string]int{}
		for _, task := range tasks {
			held[*task.ContainerInstanceArn]++
			wantExit0(t, task)
			f.printed(task, "the API answers")
		}
		if got := slices.Collect(maps.Values(held)); !slices.Equal(got, []int{2, 2}) {
			t.Errorf("tasks by machine: %v", held)
		}
	})
	t.Run("Fargate", func(t *testing.T) {
		def := f.define(&ecs.RegisterTaskDefinitionInput{
			Family: aws.String("alone"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
			RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, ExecutionRoleArn: aws.String("arn:aws:iam::000000000000:role/ecsTaskExecutionRole"),
		}, `wget -q -O /dev/null $AWS_ENDPOINT_URL/_berth/health && cat /proc/version && echo the API answers`)
		task := f.run(&ecs.RunTaskInput{TaskDefinition: &def, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: f.subnets()},
		}})[0]
		wantExit0(t, task)
		f.printed(task, "the API answers")
		if task.ContainerInstanceArn != nil {
			t.Errorf("shows its machine %s", *task.ContainerInstanceArn)
		}
	})
}

func TestATokenLetsOneMachineIn(t *testing.T) {
	f := newFleet(t)
	token := f.server.must("token", "create", "--data", f.server.data)
	m := f.join("--cpu", "1024", "--memory", "512")
	until(t, "the agent", func() bool { return len(f.instances()) == 1 })
	try := func(text string) string {
		t.Helper()
		file := filepath.Join(m.data, "another")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := m.run("agent", "--data", t.TempDir(), "--server", "https://"+f.server.address, "--token", file, "--cpu", "-1")
		if err == nil {
			t.Fatalf("joined: %s", out)
		}
		return out
	}
	secret, pin := token[:strings.LastIndexByte(token, '.')], token[strings.LastIndexByte(token, '.')+1:]
	flipped := "0"
	if pin[0] == '0' {
		flipped = "1"
	}
	for name, c := range map[string]struct{ token, want string }{
		"another authority": {secret + "." + flipped + pin[1:], "certificate authority is not the one"},
		"a guess":           {strings.Replace(token, secret[len("berth1."):], strings.Repeat("A", 43), 1), "join"},
		"damaged":           {token[:len(token)-2], "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := try(c.token); !strings.Contains(got, c.want) || strings.Contains(got, secret[len("berth1."):]) {
				t.Errorf("got %q", got)
			}
		})
	}
	if out, err := f.server.run("token", "create", "--data", f.server.data, "--role", "nobody"); err == nil || !strings.Contains(out, "The role with name nobody cannot be found.") {
		t.Errorf("a token of a role that is not there: %s", out)
	}
}
