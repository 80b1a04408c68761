package roads_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	maptypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// mesh is two services that call each other by Service Connect: "web", in awsvpc mode,
// behind an HTTP alias and a TCP alias, and "back", in bridge mode, which speaks gRPC
// behind the name that it has where none is given.
type mesh struct {
	place
	namespace string // ARN
	outer     string // security group that everybody may call at 8080
	inner     string // likewise; its members may call web at 8081
}

func (b *berth) mesh(t *testing.T) *mesh {
	t.Helper()
	m := &mesh{place: b.defaultVPC(t)}
	made, err := b.ecs.UpdateCluster(t.Context(), &ecs.UpdateClusterInput{
		Cluster: aws.String("default"), ServiceConnectDefaults: &types.ClusterServiceConnectDefaultsRequest{Namespace: aws.String("shop")},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.namespace = *made.Cluster.ServiceConnectDefaults.Namespace
	t.Cleanup(func() {
		if left := m.names(t); len(left) > 0 {
			t.Errorf("services are gone and left %v in Cloud Map", left)
		}
	})
	m.outer, m.inner = b.group(t, m.vpc, "outer", 8080), b.group(t, m.vpc, "inner", 8080)
	if _, err := b.ec2.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &m.inner, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(8081), ToPort: aws.Int32(8081), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &m.inner}},
	}}}); err != nil {
		t.Fatal(err)
	}
	web := m.named(serving(t, "web", types.CompatibilityEc2), types.ApplicationProtocolHttp, "")
	m.connected(t, "web", web, &types.ServiceConnectConfiguration{Enabled: true, Services: []types.ServiceConnectService{
		{PortName: aws.String("http"), DiscoveryName: aws.String("web"), ClientAliases: []types.ServiceConnectClientAlias{{Port: aws.Int32(80), DnsName: aws.String("web")}}},
		{PortName: aws.String("tcp"), ClientAliases: []types.ServiceConnectClientAlias{{Port: aws.Int32(7000), DnsName: aws.String("echo")}}},
	}})
	back := m.named(serving(t, "back", types.CompatibilityEc2), types.ApplicationProtocolGrpc, types.NetworkModeBridge)
	m.connected(t, "back", back, &types.ServiceConnectConfiguration{Enabled: true, Namespace: aws.String("shop"), Services: []types.ServiceConnectService{
		{PortName: aws.String("http"), DiscoveryName: aws.String("back"), ClientAliases: []types.ServiceConnectClientAlias{{Port: aws.Int32(8080)}}},
	}})
	b.stable(t, "web")
	b.stable(t, "back")
	return m
}

// names are those of the namespace in Cloud Map.
func (m *mesh) names(t *testing.T) (all []string) {
	t.Helper()
	_, id, _ := cutLast(m.namespace, "/")
	out, err := here.cmap.ListServices(after(t), &servicediscovery.ListServicesInput{Filters: []maptypes.ServiceFilter{{Name: maptypes.ServiceFilterNameNamespaceId, Values: []string{id}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Services {
		all = append(all, *s.Name)
	}
	return all
}

// named gives the ports of a definition names, the first a protocol, and the definition
// another mode.
func (m *mesh) named(in *ecs.RegisterTaskDefinitionInput, protocol types.ApplicationProtocol, mode types.NetworkMode) *ecs.RegisterTaskDefinitionInput {
	ports := in.ContainerDefinitions[0].PortMappings
	ports[0].Name, ports[0].AppProtocol, ports[1].Name = aws.String("http"), protocol, aws.String("tcp")
	if mode != "" {
		in.NetworkMode, in.Family = mode, aws.String(*in.Family+"-"+string(mode))
	}
	return in
}

func (m *mesh) connected(t *testing.T, name string, definition *ecs.RegisterTaskDefinitionInput, c *types.ServiceConnectConfiguration) {
	t.Helper()
	in := &ecs.CreateServiceInput{
		ServiceName: &name, TaskDefinition: aws.String(here.register(t, definition)), LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(2),
		ServiceConnectConfiguration: c,
	}
	if definition.NetworkMode == types.NetworkModeAwsvpc {
		in.NetworkConfiguration = m.network(m.inner)
	}
	here.service(t, in)
}

// callersOf are where the tasks of a service are asked to ask others.
func (b *berth) callersOf(t *testing.T, service string) (all []caller) {
	t.Helper()
	out, err := b.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: &service})
	if err != nil {
		t.Fatal(err)
	}
	return b.callers(t, out.TaskArns)
}

func (b *berth) callers(t *testing.T, arns []string) (all []caller) {
	t.Helper()
	w := ecs.NewTasksRunningWaiter(b.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = 100*time.Millisecond, time.Second })
	out, err := w.WaitForOutput(t.Context(), &ecs.DescribeTasksInput{Tasks: arns}, patience)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range out.Tasks {
		c := task.Containers[0]
		if len(c.NetworkInterfaces) > 0 {
			all = append(all, caller(*c.NetworkInterfaces[0].PrivateIpv4Address+":8080"))
			continue
		}
		at := slices.IndexFunc(c.NetworkBindings, func(n types.NetworkBinding) bool { return *n.ContainerPort == 8080 })
		all = append(all, caller(fmt.Sprintf("127.0.0.1:%d", *c.NetworkBindings[at].HostPort)))
	}
	for _, c := range all {
		eventually(t, "a task to listen", func() bool { _, err := c.does(t.Context(), "", "", ""); return err == nil })
	}
	return all
}

// run runs a task by RunTask; it ends with the test.
func (m *mesh) run(t *testing.T, in *ecs.RunTaskInput) caller {
	t.Helper()
	out, err := here.ecs.RunTask(t.Context(), in)
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	t.Cleanup(func() {
		if _, err := here.ecs.StopTask(after(t), &ecs.StopTaskInput{Task: out.Tasks[0].TaskArn}); err != nil {
			t.Error(err)
		}
	})
	return here.callers(t, []string{*out.Tasks[0].TaskArn})[0]
}

// caller is where a task is asked to ask others.
type caller string

// does has the task do something: ask, dial or lookup.
func (c caller) does(ctx context.Context, what, parameter, value string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(c)+"/"+what+"?"+url.Values{parameter: {value}}.Encode(), nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", said)
	}
	return strings.TrimSpace(string(said)), err
}

func (c caller) ask(ctx context.Context, url string) (string, error) {
	return c.does(ctx, "ask", "url", url)
}

// hears fails the test unless the answer begins so.
func (c caller) hears(t *testing.T, what, parameter, value, want string) {
	t.Helper()
	if got, err := c.does(t.Context(), what, parameter, value); err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("%s %s of %s: got %q, %v, want %q", what, value, c, got, err, want)
	}
}

// TestServicesCallEachOther has services in awsvpc and in bridge mode call each other by
// Service Connect, and a task that RunTask ran with a tag; others can't.
//
// Proves service-connect.
func TestServicesCallEachOther(t *testing.T) {
	m := here.mesh(t)
	web, back := here.callersOf(t, "web"), here.callersOf(t, "back")
	for _, c := range slices.Concat(web, back) {
		c.hears(t, "ask", "url", "http://web/", "web")
		c.hears(t, "ask", "url", "http://back.shop:8080/", "back")
		c.hears(t, "grpc", "at", "back.shop:8080", "SERVING")
	}
	for _, c := range web {
		c.hears(t, "dial", "at", "echo:7000", "web ")
		c.hears(t, "lookup", "name", "echo", "169.254.")
	}
	own, _, _ := strings.Cut(string(web[0]), ":")
	seen := map[string]bool{}
	for range 6 {
		said, err := web[0].ask(t.Context(), "http://web/headers")
		if err != nil {
			t.Fatal(err)
		}
		_, from, _ := strings.Cut(said, "from: ")
		address, _, _ := strings.Cut(from, ":")
		seen[address] = true
	}
	if len(seen) != 2 || !seen[own] || !seen["169.254.1.1"] { // the latter by itself
		t.Errorf("servers saw %v call, not %s", seen, own)
	}

	var guest caller
	for _, launch := range []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate} {
		definition := here.register(t, serving(t, "guest", launch))
		guest = m.run(t, &ecs.RunTaskInput{
			TaskDefinition: &definition, LaunchType: types.LaunchType(launch), NetworkConfiguration: m.network(m.outer),
			Tags: []types.Tag{{Key: aws.String("berth:service-connect"), Value: aws.String("shop")}},
		})
		guest.hears(t, "ask", "url", "http://web/", "web")
		if said, err := guest.does(t.Context(), "dial", "at", "echo:7000"); err == nil {
			t.Errorf("a security group lets the guest in, who is no member: %q", said)
		}
	}
	definition := here.register(t, serving(t, "stranger", types.CompatibilityEc2))
	stranger := m.run(t, &ecs.RunTaskInput{TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, NetworkConfiguration: m.network(m.inner)})
	for _, name := range []string{"web", "echo", "back.shop"} {
		if found, err := stranger.does(t.Context(), "lookup", "name", name); err == nil {
			t.Errorf("%s is %s to a task outside of the namespace", name, found)
		}
	}
	address, err := guest.does(t.Context(), "lookup", "name", "web")
	if err != nil {
		t.Fatal(err)
	}
	if said, err := stranger.ask(t.Context(), "http://"+address+"/"); err == nil {
		t.Errorf("a task outside of the namespace was answered at %s: %s", address, said)
	}
}

// TestServiceConnectIsShown looks at what ECS and Cloud Map say of connected services.
func TestServiceConnectIsShown(t *testing.T) {
	m := here.mesh(t)
	out, err := here.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"web"}})
	if err != nil {
		t.Fatal(err)
	}
	d := out.Services[0].Deployments[0]
	if len(d.ServiceConnectResources) != 2 || aws.ToString(d.ServiceConnectResources[0].DiscoveryName) != "web" || !d.ServiceConnectConfiguration.Enabled {
		t.Fatalf("got %+v", d)
	}
	_, id, _ := cutLast(*d.ServiceConnectResources[0].DiscoveryArn, "/")
	instances, err := here.cmap.ListInstances(t.Context(), &servicediscovery.ListInstancesInput{ServiceId: &id})
	if err != nil || len(instances.Instances) != 2 || instances.Instances[0].Attributes["AWS_INSTANCE_PORT"] != "8080" {
		t.Errorf("instances of web: %+v, %v", instances, err)
	}
	listed, err := here.ecs.ListServicesByNamespace(t.Context(), &ecs.ListServicesByNamespaceInput{Namespace: &m.namespace})
	if err != nil || len(listed.ServiceArns) != 2 {
		t.Errorf("services of the namespace: %+v, %v", listed, err)
	}
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), ServiceConnectConfiguration: &types.ServiceConnectConfiguration{
		Enabled: true, Services: d.ServiceConnectConfiguration.Services[1:],
	}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a name to go that the service has no more", func() bool { return !slices.Contains(m.names(t), "web") })
	if left := m.names(t); !slices.Contains(left, "tcp") {
		t.Errorf("only %v is left", left)
	}
}

// callings are tasks that call others without a pause.
type callings struct {
	cancel context.CancelFunc
	going  sync.WaitGroup

	mu     sync.Mutex
	made   int
	failed []string
}

// keepCalling has each of the tasks call in each of the ways: ask or post.
func keepCalling(t *testing.T, from []caller, url string, ways ...string) *callings {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &callings{cancel: cancel}
	t.Cleanup(func() { cancel(); k.going.Wait() })
	for _, c := range from {
		for _, way := range ways {
			k.going.Go(func() {
				for ctx.Err() == nil {
					_, err := c.does(ctx, way, "url", url)
					k.count(ctx, way, err)
				}
			})
		}
	}
	return k
}

func (k *callings) count(ctx context.Context, way string, err error) {
	if ctx.Err() != nil {
		return // cut short by the end of the test
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made++
	if err != nil {
		k.failed = append(k.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("05.000"), way, err))
	}
}

// more waits for so many more calls.
func (k *callings) more(t *testing.T, n int) {
	t.Helper()
	made := func() int { k.mu.Lock(); defer k.mu.Unlock(); return k.made }
	enough := made() + n
	eventually(t, "calls to be made", func() bool { return made() >= enough })
}

// end ends the calls, and fails the test for each that failed.
func (k *callings) end(t *testing.T) {
	t.Helper()
	k.cancel()
	k.going.Wait()
	t.Logf("%d calls, %d failed", k.made, len(k.failed))
	for _, f := range k.failed[:min(len(k.failed), 20)] {
		t.Error(f)
	}
}

// TestCallsSurviveAnEndpoint kills a server that others call without a pause.
func TestCallsSurviveAnEndpoint(t *testing.T) {
	here.mesh(t)
	web, back := here.callersOf(t, "web"), here.callersOf(t, "back")
	calls := keepCalling(t, []caller{back[0], back[1], web[1]}, "http://web/", "ask")
	calls.more(t, 200)
	if _, err := web[0].does(t.Context(), "die", "", ""); err == nil {
		t.Error("the server lives on")
	}
	calls.more(t, 500)
	here.stable(t, "web")
	calls.more(t, 200)
	calls.end(t)
}

// TestCallsSurviveADeployment replaces all servers under calls, and then the agent that
// carries them.
func TestCallsSurviveADeployment(t *testing.T) {
	here.mesh(t)
	back := here.callersOf(t, "back")
	calls := keepCalling(t, back, "http://web/", "ask", "post")
	calls.more(t, 100)
	if _, err := here.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), ForceNewDeployment: true}); err != nil {
		t.Fatal(err)
	}
	here.stable(t, "web")
	calls.more(t, 100)
	calls.end(t)

	here.signal(t, "agent", syscall.SIGKILL)
	eventually(t, "calls to be carried by the next agent", func() bool {
		said, err := back[0].ask(t.Context(), "http://web/")
		return err == nil && strings.HasPrefix(said, "web")
	})
}
