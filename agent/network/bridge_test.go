package network_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// hostPort is the only published port of a container.
func hostPort(t *testing.T, e network.Endpoint) int {
	t.Helper()
	if len(e.Bindings) != 1 {
		t.Fatalf("got bindings %+v, want one", e.Bindings)
	}
	return e.Bindings[0].HostPort
}

func at(ip string, port int) string { return fmt.Sprintf("%s:%d", ip, port) }

func TestPort80FourTimes(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	answers := map[int]string{}
	for _, pair := range []string{"one", "two"} {
		endpoints := setup(t, n, inBridge(container("a", dynamic(80, "tcp")), container("b", dynamic(80, "tcp"))))
		for name, e := range endpoints {
			serve(t, inside(t, e), "tcp", ":80", pair+"/"+name)
			answers[hostPort(t, e)] = pair + "/" + name
		}
	}
	if len(answers) != 4 {
		t.Fatalf("host ports collide: %v", answers)
	}
	for port, name := range answers {
		if port < 32768 || port > 60999 {
			t.Errorf("host port %d is outside the dynamic range", port)
		}
		for _, to := range []string{"127.0.0.1", machineAddress} {
			if got, err := ask(m.Space, "tcp", at(to, port), patience); err != nil || !strings.HasPrefix(got, name+" ") {
				t.Errorf("%s:%d: got %q, %v; want %s", to, port, got, err, name)
			}
		}
		wantAnswer(t, m.world, "tcp", at(machineAddress, port), name+" "+worldAddress)
	}
}

func TestUDPPortsArePublished(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	e := setup(t, n, inBridge(container("dns", dynamic(53, "udp"), fixed(53, 5353, "tcp"))))["dns"]
	serve(t, inside(t, e), "udp", ":53", "udp")
	serve(t, inside(t, e), "tcp", ":53", "tcp")
	if len(e.Bindings) != 2 || e.Bindings[1] != (task.Binding{BindIP: "0.0.0.0", ContainerPort: 53, HostPort: 5353, Protocol: "tcp"}) {
		t.Fatalf("got bindings %+v", e.Bindings)
	}
	port := e.Bindings[0].HostPort
	wantAnswer(t, m.world, "udp", at(machineAddress, port), "udp "+worldAddress)
	wantAnswer(t, m.world, "tcp", at(machineAddress, 5353), "tcp "+worldAddress)
	for _, to := range []string{"127.0.0.1", machineAddress} {
		if got, err := ask(m.Space, "udp", at(to, port), patience); err != nil || !strings.HasPrefix(got, "udp ") {
			t.Errorf("%s: got %q, %v", to, got, err)
		}
	}
}

func TestTasksUsePublishedPortsToo(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	web := setup(t, n, inBridge(container("web", fixed(80, 8080, "tcp"))))["web"]
	serve(t, inside(t, web), "tcp", ":80", "web")
	for name, e := range map[string]network.Endpoint{
		"itself":  web,
		"bridge":  setup(t, n, inBridge(container("app")))["app"],
		"default": setup(t, n, inVPC("vpc-default", "172.31.0.0/16", "172.31.0.9"))["app"],
		"other":   setup(t, n, inVPC("vpc-other", "10.0.0.0/16", "10.0.0.9"))["app"],
	} {
		if got, err := ask(inside(t, e), "tcp", machineAddress+":8080", patience); err != nil || !strings.HasPrefix(got, "web ") {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	// Addresses of the other kinds of task are no way around the published port.
	other := inside(t, setup(t, n, inVPC("vpc-default", "172.31.0.0/16", "172.31.0.10"))["app"])
	wantNoAnswer(t, other, "tcp", web.Address.String()+":80")
	// Bridge mode tasks are the host's neighbours and reach its VPC.
	serve(t, other, "tcp", ":80", "vpc")
	wantAnswer(t, inside(t, web), "tcp", "172.31.0.10:80", "vpc "+web.Address.String())
}

func TestPortRanges(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	e := setup(t, n, inBridge(container("ftp", workload.PortMapping{ContainerPortRange: "3000-3002", Protocol: "tcp"})))["ftp"]
	if len(e.Bindings) != 1 || e.Bindings[0].ContainerPortRange != "3000-3002" {
		t.Fatalf("got bindings %+v", e.Bindings)
	}
	var first, last int
	if _, err := fmt.Sscanf(e.Bindings[0].HostPortRange, "%d-%d", &first, &last); err != nil || last != first+2 {
		t.Fatalf("got range %q", e.Bindings[0].HostPortRange)
	}
	serve(t, inside(t, e), "tcp", ":3002", "third")
	wantAnswer(t, m.world, "tcp", at(machineAddress, last), "third "+worldAddress)
}

func TestAPortInUseIsRefusedAndLeftAlone(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	serve(t, m.Space, "tcp", "127.0.0.1:8080", "the host's own")
	o := inBridge(container("web", dynamic(81, "tcp"), fixed(80, 8080, "tcp")))
	var taken *network.PortTakenError
	if _, err := n.Setup(context.Background(), o); !errors.As(err, &taken) || taken.Port != 8080 {
		t.Fatalf("got %v", err)
	}
	wantAnswer(t, m.Space, "tcp", "127.0.0.1:8080", "the host's own 127.0.0.1")

	first := inBridge(container("web", fixed(80, 8081, "tcp")))
	setup(t, n, first)
	second := inBridge(container("web", fixed(80, 8081, "tcp")))
	if _, err := n.Setup(context.Background(), second); !errors.As(err, &taken) {
		t.Fatalf("got %v", err)
	}
	check(t, n.Teardown(context.Background(), first.ARN))
	e := setup(t, n, second)["web"]
	serve(t, inside(t, e), "tcp", ":80", "second")
	wantAnswer(t, m.world, "tcp", machineAddress+":8081", "second "+worldAddress)
}

func TestANewOwnerOfAPortGetsItsDatagrams(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	first := inBridge(container("dns", fixed(53, 5300, "udp")))
	s := inside(t, setup(t, n, first)["dns"])
	serve(t, s, "udp", ":53", "first")
	// One client keeps its source port, as a resolver may.
	me := &net.UDPAddr{IP: net.ParseIP(worldAddress), Port: 40000}
	if got, err := askFrom(m.world, me, "udp", machineAddress+":5300", patience); err != nil || got != "first "+worldAddress {
		t.Fatalf("got %q, %v", got, err)
	}
	check(t, n.Teardown(context.Background(), first.ARN))
	second := setup(t, n, inBridge(container("dns", fixed(53, 5300, "udp"))))["dns"]
	serve(t, inside(t, second), "udp", ":53", "second")
	eventually(t, func() error {
		got, err := askFrom(m.world, me, "udp", machineAddress+":5300", impatience)
		if err == nil && got != "second "+worldAddress {
			err = fmt.Errorf("got %q", got)
		}
		return err
	})
}

func TestLoopbackOnlyHidesPortsFromTheWorld(t *testing.T) {
	m := newMachine(t)
	cfg := m.config()
	cfg.LoopbackOnly = true
	n := open(t, cfg)
	web := setup(t, n, inBridge(container("web", fixed(80, 8080, "tcp"))))["web"]
	app := setup(t, n, inBridge(container("app")))["app"]
	serve(t, inside(t, web), "tcp", ":80", "web")
	for _, from := range []*space.Space{m.Space, inside(t, app)} {
		if got, err := ask(from, "tcp", machineAddress+":8080", patience); err != nil || !strings.HasPrefix(got, "web ") {
			t.Errorf("got %q, %v", got, err)
		}
	}
	wantNoAnswer(t, m.world, "tcp", machineAddress+":8080")
}

func TestContainersOfABridgeTaskAreApartAndLinked(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	db := container("db")
	app := container("app")
	app.Links = []string{"db:database", "db"}
	app.ExtraHosts = []workload.HostEntry{{Hostname: "legacy", IPAddress: "192.0.2.77"}}
	app.Hostname = "front.example.com"
	off := container("off")
	yes := true
	off.DisableNetworking = &yes
	e := setup(t, n, inBridge(db, app, off))
	want := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		e["app"].Address.String() + "\tfront.example.com front\n" +
		e["db"].Address.String() + "\tdatabase db\n" + e["db"].Address.String() + "\tdb\n192.0.2.77\tlegacy\n"
	if got := string(e["app"].Hosts); got != want {
		t.Errorf("hosts:\n%s\nwant:\n%s", got, want)
	}
	if e["db"].Hostname != "0123abcd0123" || !strings.HasPrefix(string(e["db"].Resolver), "nameserver 169.254.169.253\n") {
		t.Errorf("db: hostname %q, resolver %q", e["db"].Hostname, e["db"].Resolver)
	}
	if e["app"].Space == e["db"].Space || e["off"].Space == "" || e["off"].Address.IsValid() {
		t.Errorf("got %+v", e)
	}
	serve(t, inside(t, e["db"]), "tcp", ":5432", "db")
	wantAnswer(t, inside(t, e["app"]), "tcp", e["db"].Address.String()+":5432", "db "+e["app"].Address.String())
	wantNoAnswer(t, inside(t, e["off"]), "tcp", e["db"].Address.String()+":5432")
}

func TestOtherModes(t *testing.T) {
	m := newMachine(t)
	n := open(t, m.config())
	none := inBridge(container("app"))
	none.NetworkMode = workload.None
	e := setup(t, n, none)["app"]
	all, err := links(t, inside(t, e)).LinkList()
	check(t, err)
	for _, l := range all {
		if l.Attrs().Name == "eth0" {
			t.Error("a task of mode none has an interface")
		}
	}
	host := inBridge(container("app", fixed(80, 80, "tcp")))
	host.NetworkMode = workload.Host
	e = setup(t, n, host)["app"]
	if e.Space != "" || len(e.Bindings) != 1 || e.Bindings[0].HostPort != 80 {
		t.Errorf("host mode: %+v", e)
	}
	for _, o := range []*task.Order{none, host} {
		check(t, n.Teardown(context.Background(), o.ARN))
	}
}
