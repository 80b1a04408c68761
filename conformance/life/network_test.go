package life_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berthhq/berth/conformance/house"
)

// server answers on port 80 with its name.
func server(name string) types.ContainerDefinition {
	c := container(name, probe, "serve", "80", "this is "+name)
	c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	return c
}

// answers is what the host hears at a container's dynamic port.
func answers(t *testing.T, task types.Task, name string) string {
	t.Helper()
	bindings := named(t, task, name).NetworkBindings
	if len(bindings) != 1 || aws.ToInt32(bindings[0].ContainerPort) != 80 || aws.ToInt32(bindings[0].HostPort) < 1024 {
		t.Fatalf("bindings of %s: %s", name, shown(bindings))
	}
	return heard(t, fmt.Sprintf("http://127.0.0.1:%d/", *bindings[0].HostPort))
}

func heard(t *testing.T, url string) (text string) {
	t.Helper()
	eventually(t, url+" to answer", func() bool {
		answer, err := http.Get(url)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		text = string(body)
		return err == nil
	})
	return text
}

func TestPortsOfTheBridge(t *testing.T) {
	t.Parallel()
	d := onEC2(server("red"), server("blue"))
	one, two := here.run(t, d), here.run(t, d)
	taken := map[int32]bool{}
	for _, arn := range []string{one, two} {
		task := here.running(t, arn)
		for _, name := range []string{"red", "blue"} {
			if got := answers(t, task, name); got != "this is "+name {
				t.Errorf("%s said %q", name, got)
			}
			taken[*named(t, task, name).NetworkBindings[0].HostPort] = true
		}
	}
	if len(taken) != 4 {
		t.Errorf("four containers on ports %v", taken)
	}
}

func TestFixedHostPort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	c := server("app")
	c.PortMappings[0].HostPort = aws.Int32(port)
	here.running(t, here.run(t, onEC2(c)))
	if got := heard(t, fmt.Sprintf("http://127.0.0.1:%d/", port)); got != "this is app" {
		t.Errorf("said %q", got)
	}
}

func freePort(t *testing.T) int32 {
	t.Helper()
	address, err := house.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	var port int32
	if _, err := fmt.Sscanf(address, "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestLinks(t *testing.T) {
	t.Parallel()
	app := container("app", probe, "get", "http://db/", "http://backend/")
	app.Links = []string{"db", "db:backend"}
	if got := here.prints(t, onEC2(app, server("db"))); got != "this is db\nthis is db" {
		t.Errorf("%q", got)
	}
}

func TestHostMode(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	d := onEC2(container("app", probe, "serve", fmt.Sprint(port), "this is the host"))
	d.NetworkMode = types.NetworkModeHost
	here.running(t, here.run(t, d))
	if got := heard(t, fmt.Sprintf("http://127.0.0.1:%d/", port)); got != "this is the host" {
		t.Errorf("said %q", got)
	}
}

func TestNoNetwork(t *testing.T) {
	t.Parallel()
	d := onEC2(sh("app", "ls /sys/class/net"))
	d.NetworkMode = types.NetworkModeNone
	if got := here.prints(t, d); got != "lo" {
		t.Errorf("interfaces %q", got)
	}
}

// privately gives an EC2 definition an interface of its own.
func privately(containers ...types.ContainerDefinition) *definition {
	d := onEC2(containers...)
	d.NetworkMode = types.NetworkModeAwsvpc
	return d
}

// address is a task's private one, which all places that show it must agree on.
func address(t *testing.T, task types.Task) string {
	t.Helper()
	found := ""
	for _, a := range task.Attachments {
		for _, d := range a.Details {
			if *d.Name == "privateIPv4Address" {
				found = *d.Value
			}
		}
	}
	if shown := task.Containers[0].NetworkInterfaces; found == "" || len(shown) != 1 || *shown[0].PrivateIpv4Address != found {
		t.Fatalf("address %q, interfaces %+v", found, shown)
	}
	return found
}

func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	ec2, fargate := here.run(t, privately(server("app"))), here.run(t, onFargate(server("app")))
	var urls []string
	for _, arn := range []string{ec2, fargate} {
		urls = append(urls, "http://"+address(t, here.running(t, arn))+"/")
	}
	if urls[0] == urls[1] {
		t.Fatalf("two tasks have the address %s", urls[0])
	}
	asker := container("app", probe, append([]string{"get"}, urls...)...)
	for name, d := range map[string]*definition{"EC2": privately(asker), "Fargate": onFargate(asker)} {
		t.Run("from "+name, func(t *testing.T) {
			t.Parallel()
			if got := here.prints(t, d); got != "this is app\nthis is app" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestContainersOfATaskShareItsNetwork(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(...types.ContainerDefinition) *definition{"EC2": privately, "Fargate": onFargate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := here.prints(t, on(container("app", probe, "get", "http://127.0.0.1/"), server("side"))); got != "this is side" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestNamesOfTheVPC(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(...types.ContainerDefinition) *definition{"awsvpc": privately, "Fargate": onFargate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := here.prints(t, on(container("app", probe, "lookup", "localhost", "ip-172-31-9-8.ec2.internal")))
			if !strings.Contains(got, "127.0.0.1") || !strings.Contains(got, "ip-172-31-9-8.ec2.internal [172.31.9.8]") {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestNamesOfTheWorld asks for a name that the host can resolve.
func TestNamesOfTheWorld(t *testing.T) {
	t.Parallel()
	const name = "proxy.golang.org"
	if _, err := net.DefaultResolver.LookupHost(t.Context(), name); err != nil {
		t.Skipf("this host resolves no names of the world: %v", err)
	}
	for mode, on := range everywhere {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			if got := here.prints(t, on(container("app", probe, "lookup", name))); !strings.HasPrefix(got, name+" [") {
				t.Errorf("%q", got)
			}
		})
	}
}
