package ecs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/acm"
	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/api/elbv2"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

var scope = gatewaytest.Scope

// object is JSON as a client sees it.
type object = map[string]any

// server is ECS on a real socket, with a network to run tasks in.
type server struct {
	*gatewaytest.Server
	t testing.TB
}

func start(t testing.TB) *server { return startWith(t, nil) }

// startWith takes the identity documents that identities does; nil takes all.
func startWith(t testing.TB, identities ecs.Identities) *server {
	s := &server{t: t, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := ecs.New(ecs.Config{Store: st, Hooked: hooked, Identities: identities, Ingress: ingress(t, st)})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)}
	s.Role(t, "ecsInstanceRole", gatewaytest.AllowAll)
	s.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/16")})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-a", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"), Zone: "eu-central-1a"})
		store.Subnets.Put(tx, &network.Subnet{Scope: scope, ID: "subnet-other", VPCID: "vpc-2", CIDR: netip.MustParsePrefix("10.0.1.0/24"), Zone: "eu-central-1a"})
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-default", VPCID: "vpc-1", Name: "default"})
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-other", VPCID: "vpc-2", Name: "default"})
	})
	return s
}

// ingress is that of load balancers and certificates of the same store.
func ingress(t testing.TB, st store.Store) ecs.Ingress {
	v, err := vault.Open(t.TempDir(), st.View(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	domains, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	keys := &keyring.Keyring{Vault: v, Log: slog.New(slog.DiscardHandler)}
	return ecs.Ingress{
		Certify: acm.New(acm.Config{Store: st, Keyring: keys, Authority: domains}).Issue,
		Balance: elbv2.New(elbv2.Config{Store: st, Keyring: keys}).Put,
	}
}

func (s *server) update(fn func(*store.Tx)) {
	s.t.Helper()
	if _, err := s.Store.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	object
	status int
	kind   string // the error's code; empty when it worked
}

// message of an error.
func (a answer) message() string {
	m, _ := a.object["message"].(string)
	return m
}

// as calls an operation with a key. body is JSON text.
func (s *server) as(key identity.AccessKey, operation, body string) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	keys := sigv4.Keys{ID: key.ID, Secret: key.Secret, Token: key.SessionToken}
	if err := sigv4.Sign(r, []byte(body), keys, "ecs", scope.Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := answer{status: reply.StatusCode, object: object{}}
	if err := json.Unmarshal(data, &out.object); err != nil {
		s.t.Fatalf("%s answered %q: %v", operation, data, err)
	}
	if kind, ok := out.object["__type"].(string); ok {
		out.kind = kind[strings.LastIndexByte(kind, '#')+1:]
	}
	return out
}

// do calls as the administrator and fails the test on an error.
func (s *server) do(operation, body string, args ...any) answer {
	s.t.Helper()
	out := s.as(s.Root, operation, fmt.Sprintf(body, args...))
	if out.kind != "" {
		s.t.Fatalf("%s(%s): %s: %s", operation, fmt.Sprintf(body, args...), out.kind, out.message())
	}
	return out
}

// refused calls as the administrator and expects an error whose message begins
// with the words.
func (s *server) refused(operation, body, kind, message string) {
	s.t.Helper()
	out := s.as(s.Root, operation, body)
	if out.kind != kind || !strings.HasPrefix(out.message(), message) {
		s.t.Errorf("%s(%s)\ngot  %s: %s\nwant %s: %s", operation, body, out.kind, out.message(), kind, message)
	}
	if kind != "" && out.status != http.StatusBadRequest {
		s.t.Errorf("%s(%s): status %d", operation, body, out.status)
	}
}

// get walks into JSON: names of members, and numbers of list elements.
func get(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			switch m := v.(type) {
			case object:
				v = m[step]
			case answer:
				v = m.object[step]
			default:
				return nil
			}
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

func expect(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %s, want %s", what, indented(got), indented(want))
	}
}

// has expects members, whatever else is there.
func has(t testing.TB, got, want object) {
	t.Helper()
	for name, v := range want {
		expect(t, name, got[name], v)
	}
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

// instance registers a connected machine in the default cluster.
func (s *server) instance(cpu, memory int) string {
	s.t.Helper()
	return s.instanceIn("default", cpu, memory, "")
}

func (s *server) instanceIn(name string, cpu, memory int, attributes string) string {
	s.t.Helper()
	out := s.do("RegisterContainerInstance", `{"cluster": %q, "attributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"},
		{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.21"}, {"name": "ecs.capability.task-eni"}%s],
		"totalResources": [{"name": "CPU", "type": "INTEGER", "integerValue": %d}, {"name": "MEMORY", "type": "INTEGER", "integerValue": %d},
		{"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]}, {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []}],
		"versionInfo": {"agentVersion": "1.0.0"}}`, name, attributes, cpu, memory)
	key := get(out, "containerInstance", "containerInstanceArn").(string)
	s.connect(key)
	return key
}

// connect does what a session does when it opens.
func (s *server) connect(instance string) {
	s.update(func(tx *store.Tx) {
		have, _ := store.Instances.Get(tx, instance)
		next := *have
		next.Connected = true
		store.Instances.Put(tx, &next)
	})
}

// ledger is what an instance's tasks hold.
func (s *server) ledger(instance string) cluster.Usage {
	i, ok := store.Instances.Get(s.Store.View(), instance)
	if !ok {
		s.t.Fatalf("no instance %s", instance)
	}
	return i.Used
}
