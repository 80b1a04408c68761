package ecs_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/api/ecs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

const registry = "arn:aws:servicediscovery:us-east-1:000000000000:service/"

// balanced puts a balancer, its listener and target groups beside the API.
func (s *server) balanced() {
	s.t.Helper()
	group := func(name, kind string) balancer.TargetGroup {
		return balancer.TargetGroup{Scope: scope, ARN: name, Name: name, TargetType: kind}
	}
	s.update(func(tx *store.Tx) {
		for _, g := range []balancer.TargetGroup{group("ip", "ip"), group("blue", "instance"), group("green", "instance"), group("loose", "instance")} {
			store.TargetGroups.Put(tx, &g)
		}
		forward := []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: "ip", Weight: 1}, {GroupARN: "blue", Weight: 1}}}}}
		store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: "listener", BalancerARN: "b", Default: forward})
		store.ListenerRules.Put(tx, &balancer.Rule{Scope: scope, ARN: "rule", ListenerARN: "listener", Actions: forward})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "b", Name: "b", Kind: balancer.Application})
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "old", Name: "old", Kind: balancer.Classic})
		store.Namespaces.Put(tx, &discovery.Namespace{Scope: scope, ID: "ns-1", Name: "inside", ARN: "arn:aws:servicediscovery:us-east-1:000000000000:namespace/ns-1"})
		for id, kind := range map[string]string{"srv-a": "A", "srv-s": "SRV"} {
			store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: id, ARN: registry + id, DNS: &discovery.DNS{Records: []discovery.Record{{Type: kind, TTL: 60}}}})
		}
	})
	s.do("CreateCluster", `{}`)
	s.do("RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64,
		"portMappings": [{"containerPort": 80, "name": "http"}]}]}`)
}

// TestServicesAreBalanced stores what a service is connected to, and gives it back.
func TestServicesAreBalanced(t *testing.T) {
	s := start(t)
	s.balanced()
	at := object{"targetGroupArn": "blue", "containerName": "app", "containerPort": 80.0}
	srv := object{"registryArn": registry + "srv-s", "containerName": "app", "containerPort": 80.0}
	connect := object{"enabled": false}
	made := s.do("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "healthCheckGracePeriodSeconds": 30,
		"loadBalancers": [{"targetGroupArn": "blue", "containerName": "app", "containerPort": 80}],
		"serviceRegistries": [{"registryArn": "`+registry+`srv-s", "containerName": "app", "containerPort": 80}],
		"serviceConnectConfiguration": {"enabled": false}}`)
	expect(t, "balancers", get(made, "service", "loadBalancers"), []any{at})
	expect(t, "registries", get(made, "service", "serviceRegistries"), []any{srv})
	expect(t, "connect", get(made, "service", "deployments", 0, "serviceConnectConfiguration"), any(connect))
	revision := get(made, "service", "currentServiceRevisions", 0, "arn").(string)
	seen := s.do("DescribeServiceRevisions", `{"serviceRevisionArns": [%q]}`, revision)
	expect(t, "revision's balancers", get(seen, "serviceRevisions", 0, "loadBalancers"), []any{at})
	expect(t, "revision's registries", get(seen, "serviceRevisions", 0, "serviceRegistries"), []any{srv})
	expect(t, "revision's connect", get(seen, "serviceRevisions", 0, "serviceConnectConfiguration"), any(connect))

	same := s.do("UpdateService", `{"service": "web", "desiredCount": 1}`)
	expect(t, "no deployment", get(same, "service", "deployments", 0, "id"), get(made, "service", "deployments", 0, "id"))
	next := s.do("UpdateService", `{"service": "web", "loadBalancers": []}`)
	expect(t, "taken away", get(next, "service", "loadBalancers"), []any{})
	expect(t, "registries stay", get(next, "service", "serviceRegistries"), []any{srv})
	if get(next, "service", "deployments", 0, "id") == get(made, "service", "deployments", 0, "id") {
		t.Error("no deployment for other balancers")
	}
}

// TestBalancersOfTaskSets are the set's, and the service's once it is the primary one.
func TestBalancersOfTaskSets(t *testing.T) {
	s := start(t)
	s.balanced()
	s.do("CreateService", `{"serviceName": "web", "deploymentController": {"type": "EXTERNAL"}, "desiredCount": 0}`)
	set := s.do("CreateTaskSet", `{"cluster": "default", "service": "web", "taskDefinition": "web", "launchType": "EC2",
		"loadBalancers": [{"targetGroupArn": "blue", "containerName": "app", "containerPort": 80}]}`)
	expect(t, "set's", get(set, "taskSet", "loadBalancers", 0, "targetGroupArn"), "blue")
	s.do("UpdateServicePrimaryTaskSet", `{"cluster": "default", "service": "web", "primaryTaskSet": %q}`, get(set, "taskSet", "id"))
	expect(t, "service's", get(s.do("DescribeServices", `{"services": ["web"]}`), "services", 0, "loadBalancers", 0, "targetGroupArn"), "blue")
}

func TestWhatConnectionsRefuse(t *testing.T) {
	s := start(t)
	s.balanced()
	lb := func(fields string) string {
		return `"loadBalancers": [{"containerName": "app", "containerPort": 80, ` + fields + `}]`
	}
	sr := func(fields string) string { return `"serviceRegistries": [{` + fields + `}]` }
	shifting := `"deploymentConfiguration": {"strategy": "BLUE_GREEN"}, `
	const balancers = "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
	const rule, listener = balancers + "listener-rule/app/web/1/2/", balancers + "listener/app/web/1/2"
	s.update(func(tx *store.Tx) {
		store.ListenerRules.Put(tx, &balancer.Rule{Scope: scope, ARN: rule + "1", ListenerARN: listener})
	})
	advanced := func(production, test string) string {
		return `"targetGroupArn": "blue", "advancedConfiguration": {"alternateTargetGroupArn": "green", "roleArn": "r", "productionListenerRule": "` + production + `", "testListenerRule": "` + test + `"}`
	}
	for said, want := range map[string]string{
		lb(`"targetGroupArn": "none"`):                                                               "The target group with targetGroupArn none does not exist.",
		lb(`"targetGroupArn": "loose"`):                                                              "The target group with targetGroupArn loose does not have an associated load balancer.",
		lb(`"targetGroupArn": "ip"`):                                                                 "The provided target group ip has target type ip, which is incompatible with the bridge network mode specified in the task definition.",
		`"loadBalancers": [{"targetGroupArn": "blue", "containerPort": 80}]`:                         "Container Name can not be blank.",
		`"loadBalancers": [{"targetGroupArn": "blue", "containerName": "x", "containerPort": 80}]`:   "The container x does not exist in the task definition.",
		`"loadBalancers": [{"targetGroupArn": "blue", "containerName": "app", "containerPort": 81}]`: "The container app did not have a container port 81 defined.",
		`"loadBalancers": [{},{},{},{},{},{}]`:                                                       "loadBalancers can have at most 5 items.",
		lb(`"loadBalancerName": "none"`):                                                             "The load balancer with loadBalancerName none does not exist.",
		lb(`"loadBalancerName": "old"`):                                                              "A host port mapping for the container port 80 is required.",
		shifting + lb(`"targetGroupArn": "blue"`):                                                    "advancedConfiguration is required for load balancers when the deployment strategy is BLUE_GREEN.",
		shifting + lb(advanced(rule+"no", "")):                                                       "The listener rule " + rule + "no does not exist.",
		shifting + lb(advanced(rule+"1", rule+"1")):                                                  "The following rules cannot be used as both production and test listener rules: " + rule + "1",
		shifting + lb(advanced(listener, "")):                                                        "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: " + listener,
		shifting + lb(advanced(rule+"1", "no")):                                                      "testListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: no",
		sr(`"registryArn": "` + registry + `srv-x"`):                                                 "The specified service registry " + registry + "srv-x does not exist.",
		sr(`"registryArn": "` + registry + `srv-s"`):                                                 "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition.",
		`"serviceConnectConfiguration": {"enabled": true}`:                                           "Service Connect requires a namespace",
	} {
		failed := s.as(s.Root, "CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, `+said+`}`)
		if got := failed.message(); !strings.HasPrefix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", said, got, want)
		}
	}
}

// TestNoServiceRestsBehindHAProxy refuses the tag where no request would wake the service.
func TestNoServiceRestsBehindHAProxy(t *testing.T) {
	s := start(t)
	s.balanced()
	s.update(func(tx *store.Tx) {
		store.Balancers.Put(tx, &balancer.Balancer{Scope: scope, ARN: "b", Name: "b", Kind: balancer.Application, Engine: balancer.EngineHAProxy})
	})
	failed := s.as(s.Root, "CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "tags": [{"key": "berth:scale-to-zero", "value": "10m"}],
		"loadBalancers": [{"targetGroupArn": "blue", "containerName": "app", "containerPort": 80}]}`)
	if want := "The tag berth:scale-to-zero is not supported with load balancers of the engine 'haproxy'."; !strings.HasPrefix(failed.message(), want) {
		t.Errorf("got %s", failed.message())
	}
}

// TestRolesOfBalancers refuses those by which rules cannot be changed, and asks about
// each rule and each role that is named anew.
func TestRolesOfBalancers(t *testing.T) {
	var asked []string
	s := &server{t: t, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		api := ecs.New(ecs.Config{Store: st, Leads: func(_ context.Context, _ store.Reader, role, service, rule string) error {
			asked = append(asked, arn.NameOf(role)+" for "+arn.NameOf(service)+" "+arn.NameOf(rule))
			if arn.NameOf(role) == "weak" {
				return errors.New("it may not")
			}
			return nil
		}})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)}
	s.balanced()
	const listener = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/net/web/1/"
	s.update(func(tx *store.Tx) {
		for _, id := range []string{"2", "3"} {
			store.Listeners.Put(tx, &balancer.Listener{Scope: scope, ARN: listener + id})
		}
	})
	behind := func(role string) string {
		return `"loadBalancers": [{"targetGroupArn": "blue", "containerName": "app", "containerPort": 80, "advancedConfiguration": {
			"alternateTargetGroupArn": "green", "roleArn": "` + roles + role + `", "productionListenerRule": "` + listener + `2", "testListenerRule": "` + listener + `3"}}]`
	}
	const words = "Unable to assume role and validate the specified targetGroupArn. Please verify that the ECS service role being passed has the proper permissions."
	made := `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0, "deploymentConfiguration": {"strategy": "BLUE_GREEN"}, `
	s.refused("CreateService", made+behind("weak")+`}`, "InvalidParameterException", words)
	s.do("CreateService", "%s", made+behind("strong")+`}`)
	s.do("UpdateService", `{"service": "web", "desiredCount": 1}`)
	s.refused("UpdateService", `{"service": "web", `+behind("weak")+`}`, "InvalidParameterException", words)
	expect(t, "asked", strings.Join(asked, ", "), "weak for web 2, strong for web 2, strong for web 3, weak for web 2")
}
