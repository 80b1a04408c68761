package ecs_test

import (
	"iter"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/control"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan"
	"github.com/berthhq/berth/plan/express"
	"github.com/berthhq/berth/store"
)

const expressRoles = `"executionRoleArn": "arn:aws:iam::123456789012:role/run", "infrastructureRoleArn": "arn:aws:iam::123456789012:role/build"`

// expressly is a server with the cluster default, a default VPC with two public
// subnets, and a private one.
func expressly(t *testing.T) *server {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "default"}`)
	s.update(func(tx *store.Tx) {
		store.VPCs.Put(tx, &network.VPC{Scope: scope, ID: "vpc-d", CIDR: netip.MustParsePrefix("172.31.0.0/16"), Default: true})
		for zone, cidr := range map[string]string{"1": "172.31.1.0/24", "2": "172.31.2.0/24"} {
			store.Subnets.Put(tx, &network.Subnet{
				Scope: scope, ID: "subnet-d" + zone, VPCID: "vpc-d", CIDR: netip.MustParsePrefix(cidr), Zone: "eu-central-1" + zone, Default: true, MapPublicIP: true,
			})
		}
		store.SecurityGroups.Put(tx, &network.SecurityGroup{Scope: scope, ID: "sg-d", VPCID: "vpc-d", Name: "default"})
	})
	return s
}

func TestExpressLife(t *testing.T) {
	s := expressly(t)
	made0 := s.made()
	made := get(s.do("CreateExpressGatewayService", `{"serviceName": "shop", `+expressRoles+`, "tags": [{"key": "a", "value": "b"}],
		"primaryContainer": {"image": "shop:1", "environment": [{"name": "A", "value": "1"}]}, "scalingTarget": {"minTaskCount": 2}}`), "service").(object)
	const arn = "arn:aws:ecs:eu-central-1:123456789012:service/default/shop"
	has(t, made, object{"serviceArn": arn, "serviceName": "shop", "cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/default",
		"infrastructureRoleArn": "arn:aws:iam::123456789012:role/build", "tags": []any{object{"key": "a", "value": "b"}}})
	expect(t, "status", get(made, "status"), any(object{"statusCode": "ACTIVE",
		"statusReason": "Automatic scaling of Express gateway services is not supported yet: the service has as many tasks as its minTaskCount."}))
	config := get(made, "activeConfigurations", 0).(object)
	has(t, config, object{"executionRoleArn": "arn:aws:iam::123456789012:role/run", "cpu": "256", "memory": "512", "healthCheckPath": "/ping",
		"scalingTarget": object{"minTaskCount": 2.0, "maxTaskCount": 20.0, "autoScalingMetric": "AVERAGE_CPU", "autoScalingTargetValue": 60.0},
		"primaryContainer": object{"image": "shop:1", "containerPort": 80.0, "environment": []any{object{"name": "A", "value": "1"}},
			"awsLogsConfiguration": object{"logGroup": "/aws/ecs/default/shop", "logStreamPrefix": "ecs"}}})

	front := s.front(t, arn)
	expect(t, "the endpoint", get(config, "ingressPaths"), any([]any{object{"accessType": "PUBLIC", "endpoint": front.Host}}))
	expect(t, "where it is", get(config, "networkConfiguration"), any(object{"subnets": []any{"subnet-d1", "subnet-d2"}, "securityGroups": []any{front.ServiceGroup}}))

	shown := get(s.do("DescribeServices", `{"services": ["shop"]}`), "services", 0).(object)
	has(t, shown, object{"desiredCount": 2.0, "launchType": "FARGATE", "resourceManagementType": "ECS", "currentServiceDeployment": made["currentDeployment"]})
	expect(t, "found by who manages it", get(s.do("ListServices", `{"resourceManagementType": "ECS"}`), "serviceArns"), any([]any{arn}))
	def := get(s.do("DescribeTaskDefinition", `{"taskDefinition": "default-shop"}`), "taskDefinition").(object)
	has(t, def, object{"networkMode": "awsvpc", "revision": 1.0, "requiresCompatibilities": []any{"FARGATE"}})
	expect(t, "container", get(def, "containerDefinitions", 0, "name"), any("Main"))

	updated := get(s.do("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`", "healthCheckPath": "/ok", "memory": "1024", "scalingTarget": {"minTaskCount": 3, "autoScalingMetric": "AVERAGE_MEMORY"}}`), "service").(object)
	next := get(updated, "targetConfiguration").(object)
	has(t, next, object{"cpu": "256", "memory": "1024", "healthCheckPath": "/ok", "primaryContainer": config["primaryContainer"], "networkConfiguration": config["networkConfiguration"],
		"scalingTarget": object{"minTaskCount": 3.0, "maxTaskCount": 20.0, "autoScalingMetric": "AVERAGE_MEMORY", "autoScalingTargetValue": 60.0}})
	both := get(s.do("DescribeExpressGatewayService", `{"serviceArn": "`+arn+`"}`), "service").(object)
	expect(t, "the new one is first", get(both, "activeConfigurations", 0), any(next))
	expect(t, "the old one is still there", get(both, "activeConfigurations", 1), any(config))
	expect(t, "tags are only included on request", both["tags"], nil)
	expect(t, "desired", get(s.do("DescribeServices", `{"services": ["shop"]}`), "services", 0, "desiredCount"), any(3.0))
	s.do("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`", "healthCheckPath": "/"}`)
	expect(t, "no definition is made in vain", get(s.do("ListTaskDefinitions", `{}`), "taskDefinitionArns", 2), nil)
	s.do("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`", "primaryContainer": {"image": "shop:2"}}`)
	expect(t, "the image", get(s.do("DescribeTaskDefinition", `{"taskDefinition": "default-shop"}`), "taskDefinition", "containerDefinitions", 0, "image"), any("shop:2"))
	s.refused("CreateExpressGatewayService", `{"serviceName": "shop", `+expressRoles+`, "primaryContainer": {"image": "x"}}`, "InvalidParameterException", "Creation of service was not idempotent.")

	s.refused("UpdateService", `{"service": "shop", "deploymentConfiguration": {"strategy": "ROLLING"}}`, "InvalidParameterException", "Updating to ROLLING deployment strategy is not supported for ExpressGatewayServices.")
	managed := get(s.do("DescribeServiceRevisions", `{"serviceRevisionArns": [%q]}`, next["serviceRevisionArn"]), "serviceRevisions", 0, "ecsManagedResources")
	has(t, get(managed, "ingressPaths", 0, "certificate").(object), object{"arn": front.CertificateARN, "domainName": front.Host, "status": "ACTIVE"})
	has(t, get(managed, "ingressPaths", 0, "loadBalancer").(object), object{"arn": front.BalancerARN, "scheme": "internet-facing", "subnetIds": []any{"subnet-d1", "subnet-d2"}})
	has(t, get(managed, "logGroups", 0).(object), object{"logGroupName": "/aws/ecs/default/shop"})

	gone := get(s.do("DeleteExpressGatewayService", `{"serviceArn": "`+arn+`"}`), "service").(object)
	expect(t, "deleted", get(gone, "status"), any(object{"statusCode": "DRAINING"}))
	s.refused("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`"}`, "ServiceNotActiveException", "Service is in DRAINING status")
	s.update(func(tx *store.Tx) {
		have, _ := store.Services.Get(tx, arn)
		next := *have
		next.Status = service.Inactive
		store.Services.Put(tx, &next)
	})
	s.refused("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`"}`, "ServiceNotActiveException", "Cannot perform this operation on a service in INACTIVE status")
	s.refused("CreateExpressGatewayService", `{"serviceName": "shop", `+expressRoles+`, "primaryContainer": {"image": "x"}}`, "InvalidParameterException", "Unable to Start a service that is still Draining.")
	s.settle()
	expect(t, "what is left of it", s.made(), made0)
	s.do("CreateExpressGatewayService", `{"serviceName": "shop", `+expressRoles+`, "primaryContainer": {"image": "x"}}`)
}

func TestExpressRefusals(t *testing.T) {
	s := expressly(t)
	shop := func(more string) string {
		return `{"serviceName": "shop", ` + expressRoles + `, "primaryContainer": {"image": "x"}` + more + `}`
	}
	s.do("RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "main", "image": "web", "memory": 10}]}`)
	s.do("CreateService", `{"serviceName": "web", "taskDefinition": "web", "desiredCount": 0}`)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"CreateExpressGatewayService", `{"executionRoleArn": "run", "infrastructureRoleArn": "arn:aws:iam::123456789012:role/build", "primaryContainer": {"image": "x"}}`, "InvalidParameterException", "The executionRoleArn 'run' is not the ARN of an IAM role."},
		{"CreateExpressGatewayService", `{"executionRoleArn": "arn:aws:iam::123456789012:role/run", "infrastructureRoleArn": "arn:aws:iam::123456789012:user/me", "primaryContainer": {"image": "x"}}`, "InvalidParameterException", "The infrastructureRoleArn 'arn:aws:iam::123456789012:user/me' is not the ARN of an IAM role."},
		{"CreateExpressGatewayService", shop(`, "taskRoleArn": "me"`), "InvalidParameterException", "The taskRoleArn 'me' is not the ARN of an IAM role."},
		{"CreateExpressGatewayService", shop(`, "cluster": "none"`), "ClusterNotFoundException", "Cluster not found."},
		{"CreateExpressGatewayService", shop(`, "healthCheckPath": "ok"`), "InvalidParameterException", "The healthCheckPath must start with a forward slash."},
		{"CreateExpressGatewayService", shop(`, "scalingTarget": {"minTaskCount": 30}`), "InvalidParameterException", "The minTaskCount must not be greater than the maxTaskCount."},
		{"CreateExpressGatewayService", shop(`, "scalingTarget": {"autoScalingMetric": "LUCK"}`), "InvalidParameterException", "autoScalingMetric should be one of"},
		{"CreateExpressGatewayService", shop(`, "cpuArchitecture": "VAX"`), "InvalidParameterException", "cpuArchitecture should be one of"},
		{"CreateExpressGatewayService", shop(`, "memory": "300"`), "ClientException", ""},
		{"CreateExpressGatewayService", shop(`, "networkConfiguration": {"subnets": ["subnet-x"]}`), "InvalidParameterException", "Error retrieving subnet information for [subnet-x]"},
		{"CreateExpressGatewayService", shop(`, "networkConfiguration": {"subnets": ["subnet-d1"]}`), "InvalidParameterException", "At least two subnets in two different Availability Zones must be specified"},
		{"CreateExpressGatewayService", shop(`, "taskDefinitionArn": "web"`), "InvalidParameterException", "You cannot specify taskDefinitionArn together with"},
		{"UpdateExpressGatewayService", `{"serviceArn": "arn:aws:ecs:eu-central-1:123456789012:service/default/none"}`, "ServiceNotFoundException", "Service not found."},
		{"UpdateExpressGatewayService", `{"serviceArn": "arn:aws:ecs:eu-central-1:123456789012:service/default/web"}`, "InvalidParameterException", "The service web is not an Express gateway service."},
		{"DescribeExpressGatewayService", `{"serviceArn": "arn:aws:ecs:eu-central-1:123456789012:service/default/none"}`, "ResourceNotFoundException", "Service not found."},
		{"DeleteExpressGatewayService", `{"serviceArn": "web"}`, "InvalidParameterException", "Invalid identifier"},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	expect(t, "nothing was made for a way in", s.made()["certificates"]+s.made()["balancers"]+s.made()["target groups"], 0)
	expect(t, "nothing was made", get(s.do("ListServices", `{"resourceManagementType": "ECS"}`), "serviceArns"), any([]any{}))
	expect(t, "no definition either", get(s.do("ListTaskDefinitions", `{}`), "taskDefinitionArns", 1), nil)
	made := get(s.do("CreateExpressGatewayService", `{`+expressRoles+`, "primaryContainer": {"image": "x"}}`), "service").(object)
	s.do("RegisterTaskDefinition", `{"family": "own", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "512", "memory": "1024",
		"containerDefinitions": [{"name": "Main", "image": "own", "portMappings": [{"containerPort": 8080, "name": "web"}]}]}`)
	arn := made["serviceArn"].(string)
	s.refused("UpdateExpressGatewayService", `{"serviceArn": "`+arn+`", "taskDefinitionArn": "web"}`, "InvalidParameterException", "The task definition must have FARGATE compatibility")
	own := s.do("UpdateExpressGatewayService", `{"serviceArn": %q, "taskDefinitionArn": "own"}`, arn)
	has(t, get(own, "service", "targetConfiguration", "primaryContainer").(object), object{"image": "own", "containerPort": 8080.0})
}

// front is the way in to a service.
func (s *server) front(t *testing.T, arn string) *service.Ingress {
	t.Helper()
	have, ok := store.Services.Get(s.Store.View(), arn)
	if !ok || have.Spec.Template.Express.Ingress == nil {
		t.Fatalf("%s has no way in", arn)
	}
	return have.Spec.Template.Express.Ingress
}

// settle lets the planner of ways in do all that it can.
func (s *server) settle() {
	s.t.Helper()
	loop := control.New(s.Store, []plan.Planner{express.Planner()}, nil)
	for range 4 {
		if _, err := loop.Step(s.t.Context(), time.Now()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// made counts what is made for ways in, by kind.
func (s *server) made() map[string]int {
	v := s.Store.View()
	return map[string]int{
		"balancers": count(store.Balancers.All(v)), "listeners": count(store.Listeners.All(v)), "rules": count(store.ListenerRules.All(v)),
		"target groups": count(store.TargetGroups.All(v)), "certificates": count(store.Certificates.All(v)),
		"security groups": count(store.SecurityGroups.All(v)), "interfaces": count(store.Interfaces.All(v)),
	}
}

func count[T any](all iter.Seq[*T]) (n int) {
	for range all {
		n++
	}
	return n
}
