package ecs_test

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/store"
)

// called is a service's part that others call.
func called(fields string) string {
	return `"serviceConnectConfiguration": {"enabled": true, "namespace": "inside", "services": [` + fields + `]}`
}

const plainAlias = `"clientAliases": [{"port": 80}]`

// TestConnectedServices makes Cloud Map services of what others call, uses them again,
// and shows them.
func TestConnectedServices(t *testing.T) {
	s := start(t)
	s.balanced()
	first := `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0, ` +
		called(`{"portName": "http", `+plainAlias+`, "timeout": {"idleTimeoutSeconds": 0}}`) + `}`
	made := s.do("CreateService", "%s", first)
	resource := get(made, "service", "deployments", 0, "serviceConnectResources", 0)
	expect(t, "discovery name", get(resource, "discoveryName"), "http")
	expect(t, "shown as given", get(made, "service", "deployments", 0, "serviceConnectConfiguration"), any(object{
		"enabled": true, "namespace": "inside", "services": []any{object{
			"portName": "http", "clientAliases": []any{object{"port": 80.0}}, "timeout": object{"idleTimeoutSeconds": 0.0},
		}},
	}))
	expect(t, "repeated", get(s.do("CreateService", "%s", first), "service", "deployments", 0, "serviceConnectResources", 0), resource)
	again := s.do("UpdateService", "%s", `{"service": "web", `+called(`{"portName": "http", "clientAliases": [{"port": 81, "dnsName": "Front"}]}`)+`}`)
	expect(t, "the same service of Cloud Map", get(again, "service", "deployments", 0, "serviceConnectResources", 0), resource)
	arn := get(resource, "discoveryArn").(string)
	d, ok := store.Discoveries.Get(s.Store.View(), store.ScopeKey(scope, arn[strings.LastIndexByte(arn, '/')+1:]))
	if !ok || d.ARN != arn || d.NamespaceID != "ns-1" || d.Name != "http" || d.Kind != discovery.ServiceHTTP {
		t.Fatalf("in Cloud Map: %+v", d)
	}
	if c := d.Connect; c.Alias != "front" || c.Port != 81 || c.Protocol != "" || c.Idle != nil {
		t.Errorf("how it is called: %+v", c)
	}
	s.refused("CreateService", `{"serviceName": "other", "taskDefinition": "web", "desiredCount": 0, `+called(`{"portName": "http", `+plainAlias+`}`)+`}`,
		"InvalidParameterException", "The discovery name http already exists in the namespace inside.")
	s.refused("CreateService", `{"serviceName": "other", "taskDefinition": "web", "desiredCount": 0, `+called(`{"portName": "http", "discoveryName": "other", "clientAliases": [{"port": 81, "dnsName": "front"}]}`)+`}`,
		"InvalidParameterException", "The client alias front:81 already exists in the namespace inside.")

	s.do("CreateService", `{"serviceName": "client", "taskDefinition": "web", "desiredCount": 0, "serviceConnectConfiguration": {"enabled": true, "namespace": "inside"}}`)
	s.do("CreateService", `{"serviceName": "apart", "taskDefinition": "web", "desiredCount": 0}`)
	page := s.do("ListServicesByNamespace", `{"namespace": "inside", "maxResults": 1}`)
	rest := s.do("ListServicesByNamespace", `{"namespace": "inside", "nextToken": %q}`, get(page, "nextToken"))
	expect(t, "services of the namespace", []any{get(page, "serviceArns", 0), get(rest, "serviceArns", 0), get(rest, "serviceArns", 1)},
		[]any{"arn:aws:ecs:eu-central-1:123456789012:service/default/client", "arn:aws:ecs:eu-central-1:123456789012:service/default/web", nil})
	s.refused("ListServicesByNamespace", `{"namespace": "none"}`, "NamespaceNotFoundException", "The specified namespace none does not exist.")
}

func TestWhatServiceConnectRefuses(t *testing.T) {
	s := start(t)
	s.balanced()
	s.do("RegisterTaskDefinition", `{"family": "shared", "networkMode": "host", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 64}]}`)
	long := strings.Repeat("a", 65)
	for said, want := range map[string]string{
		called(`{"portName": "no", ` + plainAlias + `}`):                                                                        "The port name no does not exist in the task definition.",
		called(`{"portName": "http"}`):                                                                                          "clientAliases must have exactly 1 item",
		called(`{"portName": "http", "clientAliases": [{"port": 80}, {"port": 81}]}`):                                           "clientAliases must have exactly 1 item",
		called(`{"portName": "http", "clientAliases": [{"port": 0}]}`):                                                          "The port of a client alias should be between 1 and 65535",
		called(`{"portName": "http", "clientAliases": [{"port": 80, "dnsName": "-a"}]}`):                                        "The dnsName -a is not valid.",
		called(`{"portName": "http", "clientAliases": [{"port": 80, "dnsName": "a..b"}]}`):                                      "The dnsName a..b is not valid.",
		called(`{"portName": "http", "discoveryName": "UP", ` + plainAlias + `}`):                                               "The discovery name UP is not valid.",
		called(`{"portName": "http", "discoveryName": "` + long + `", ` + plainAlias + `}`):                                     "The discovery name " + long + " is not valid.",
		called(`{"portName": "http", ` + plainAlias + `}, {"portName": "http", ` + plainAlias + `}`):                            "The discovery name http is specified more than once.",
		called(`{"portName": "http", "timeout": {"perRequestTimeoutSeconds": 1}, ` + plainAlias + `}`):                          "perRequestTimeoutSeconds can only be set if the appProtocol of the port http isn't TCP.",
		called(`{"portName": "http", "tls": {"issuerCertificateAuthority": {}}, ` + plainAlias + `}`):                           "TLS between services of Service Connect is not supported yet.",
		called(`{"portName": "http", "clientAliases": [{"port": 80, "testTrafficRules": {"header": {"name": "x"}}}]}`):          "Test traffic of Service Connect is not supported yet.",
		`"serviceConnectConfiguration": {"enabled": true, "namespace": "no"}`:                                                   "The specified namespace no does not exist.",
		`"serviceConnectConfiguration": {"enabled": true, "namespace": "inside", "accessLogConfiguration": {"format": "TEXT"}}`: "Access logs of Service Connect are not supported yet.",
		called(`{"portName": "http", "discoveryName": "a", "clientAliases": [{"port": 80, "dnsName": "x"}]}, {"portName": "http", "discoveryName": "b", "clientAliases": [{"port": 80, "dnsName": "X"}]}`): "The client alias x:80 is specified more than once.",
		called(`{"portName": "http", "ingressPortOverride": 9090, ` + plainAlias + `}`):                                                                                                                    "ingressPortOverride is not supported yet with the bridge network mode.",
		`"deploymentConfiguration": {"strategy": "BLUE_GREEN"}, ` + called(`{"portName": "http", `+plainAlias+`}`):                                                                                         "Service Connect does not shift traffic yet",
	} {
		failed := s.as(s.Root, "CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 1, `+said+`}`)
		if got := failed.message(); !strings.HasPrefix(got, want) {
			t.Errorf("%s\ngot  %s\nwant %s", said, got, want)
		}
	}
	s.refused("CreateService", `{"serviceName": "web", "taskDefinition": "shared", "desiredCount": 1, "serviceConnectConfiguration": {"enabled": true, "namespace": "inside"}}`,
		"InvalidParameterException", "Service Connect is not supported with the host network mode.")
	s.refused("RunTask", `{"taskDefinition": "web", "tags": [{"key": "berth:service-connect", "value": "no"}]}`,
		"NamespaceNotFoundException", "The specified namespace no does not exist.")
}
