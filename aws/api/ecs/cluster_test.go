package ecs_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestClusterLife(t *testing.T) {
	s := start(t)
	c := s.do("CreateCluster", `{"clusterName": "prod", "tags": [{"key": "a", "value": "b"}], "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
		"defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 2}]}`)
	expect(t, "created", c.object, object{"cluster": object{
		"clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod", "clusterName": "prod", "status": "ACTIVE",
		"registeredContainerInstancesCount": 0.0, "runningTasksCount": 0.0, "pendingTasksCount": 0.0, "activeServicesCount": 0.0,
		"statistics": []any{}, "tags": []any{object{"key": "a", "value": "b"}},
		"settings":                        []any{object{"name": "containerInsights", "value": "disabled"}},
		"capacityProviders":               []any{"FARGATE", "FARGATE_SPOT"},
		"defaultCapacityProviderStrategy": []any{object{"capacityProvider": "FARGATE", "weight": 1.0, "base": 2.0}},
	}})
	expect(t, "repeated", s.do("CreateCluster", `{"clusterName": "prod"}`).object, c.object)
	s.refused("CreateCluster", `{"clusterName": "prod", "capacityProviders": ["FARGATE"]}`, "InvalidParameterException", "Arguments on this idempotent request are inconsistent")

	plain := s.do("DescribeClusters", `{"clusters": ["prod", "gone"]}`)
	expect(t, "tags are only included on request", get(plain, "clusters", 0, "tags"), []any{})
	expect(t, "settings too", get(plain, "clusters", 0, "settings"), []any{})
	expect(t, "failures", get(plain, "failures"), []any{object{"arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/gone", "reason": "MISSING"}})
	full := s.do("DescribeClusters", `{"clusters": ["prod"], "include": ["TAGS", "SETTINGS", "STATISTICS", "CONFIGURATIONS"]}`)
	if n := len(get(full, "clusters", 0, "statistics").([]any)); n != 8 {
		t.Errorf("%d statistics", n)
	}

	updated := s.do("UpdateCluster", `{"cluster": "prod", "settings": [{"name": "containerInsights", "value": "enhanced"}],
		"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "/exec"}}},
		"serviceConnectDefaults": {"namespace": "shop"}}`)
	namespace := get(updated, "cluster", "serviceConnectDefaults", "namespace")
	if !strings.HasPrefix(namespace.(string), "arn:aws:servicediscovery:eu-central-1:123456789012:namespace/ns-") {
		t.Errorf("the namespace is %s", namespace)
	}
	expect(t, "the same namespace", get(s.do("UpdateCluster", `{"cluster": "prod", "serviceConnectDefaults": {"namespace": "shop"}}`), "cluster", "serviceConnectDefaults", "namespace"), namespace)
	expect(t, "settings", get(updated, "cluster", "settings", 0, "value"), "enhanced")
	expect(t, "configuration", get(updated, "cluster", "configuration", "executeCommandConfiguration", "logConfiguration", "cloudWatchLogGroupName"), "/exec")
	expect(t, "by ARN", get(s.do("UpdateClusterSettings", `{"cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod",
		"settings": [{"name": "containerInsights", "value": "enabled"}]}`), "cluster", "settings", 0, "value"), "enabled")
	expect(t, "providers", get(s.do("PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": []}`),
		"cluster", "defaultCapacityProviderStrategy"), []any{})

	expect(t, "deleted", get(s.do("DeleteCluster", `{"cluster": "prod"}`), "cluster", "status"), "INACTIVE")
	expect(t, "described when inactive", get(s.do("DescribeClusters", `{"clusters": ["prod"]}`), "clusters", 0, "status"), "INACTIVE")
	expect(t, "listed no more", get(s.do("ListClusters", `{}`), "clusterArns"), []any{})
	s.refused("UpdateCluster", `{"cluster": "prod"}`, "ClientException", "The referenced cluster was inactive.")
	expect(t, "made again", get(s.do("CreateCluster", `{"clusterName": "prod"}`), "cluster", "capacityProviders"), []any{})
}

func TestClusterRefusals(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	for _, c := range []struct{ operation, body, kind, message string }{
		{"CreateCluster", `{"clusterName": "a b"}`, "InvalidParameterException", "Cluster name contains invalid characters."},
		{"CreateCluster", `{"clusterName": ""}`, "InvalidParameterException", "Cluster name should not be null or empty."},
		{"CreateCluster", `{"clusterName": "` + strings.Repeat("a", 256) + `"}`, "InvalidParameterException", "Cluster name can have at most 255 characters."},
		{"CreateCluster", `{"clusterName": "x", "tags": []}`, "InvalidParameterException", "Tags can not be empty."},
		{"CreateCluster", `{"clusterName": "x", "tags": [{"key": "aws:x", "value": ""}]}`, "InvalidParameterException", "Tag keys beginning with 'aws:'"},
		{"CreateCluster", `{"clusterName": "x", "settings": [{"name": "containerInsights", "value": "maybe"}]}`, "InvalidParameterException", "Invalid value for setting containerInsights."},
		{"CreateCluster", `{"clusterName": "x", "capacityProviders": ["mine"]}`, "InvalidParameterException", "The specified capacity provider does not exist."},
		{"CreateCluster", `{"clusterName": "x", "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}`, "InvalidParameterException", "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster."},
		{"CreateCluster", `{"clusterName": "x", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE", "base": 1}, {"capacityProvider": "FARGATE_SPOT", "base": 1}]}`, "InvalidParameterException", "The specified capacity provider strategy contains multiple capacity providers with a base value defined."},
		{"CreateCluster", `{"clusterName": "x", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}, {"capacityProvider": "FARGATE_SPOT"}]}`, "InvalidParameterException", "There are no capacity providers in the capacity provider strategy with a weight value greater than zero."},
		{"CreateCluster", `{"clusterName": "x", "configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE"}}}`, "InvalidParameterException", "A CloudWatch log group name or S3 bucket name must be specified"},
		{"CreateCluster", `{"clusterName": "x", "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT", "logConfiguration": {"s3BucketName": "b"}}}}`, "InvalidParameterException", "You must set logging to 'OVERRIDE'"},
		{"CreateCluster", `{"clusterName": 5}`, "SerializationException", ""},
		{"UpdateCluster", `{"cluster": "gone"}`, "ClusterNotFoundException", "Cluster not found."},
		{"DeleteCluster", `{"cluster": "gone"}`, "ClusterNotFoundException", "Cluster not found."},
		{"ListClusters", `{"nextToken": "!"}`, "InvalidParameterException", "Invalid token."},
		{"ListClusters", `{"maxResults": 101}`, "InvalidParameterException", "maxResults should be between 1 and 100"},
		{"CreateGateway", `{}`, "UnsupportedFeatureException", ""},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
	expect(t, "nothing was made", get(s.do("ListClusters", `{}`), "clusterArns"), []any{"arn:aws:ecs:eu-central-1:123456789012:cluster/default"})
}

func TestFullClustersStay(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{}`)
	i := s.instance(1024, 1024)
	s.refused("DeleteCluster", `{"cluster": "default"}`, "ClusterContainsContainerInstancesException", "The Cluster cannot be deleted while Container Instances are active or draining.")
	s.do("DeregisterContainerInstance", `{"containerInstance": %q}`, i)
	s.do("RegisterTaskDefinition", fargateDefinition)
	made := s.do("RunTask", fargateRun)
	s.refused("DeleteCluster", `{"cluster": "default"}`, "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
	s.do("StopTask", `{"task": %q}`, get(made, "tasks", 0, "taskArn"))
	s.do("DeleteCluster", `{"cluster": "default"}`)
}

func TestListPagesAreStable(t *testing.T) {
	s := start(t)
	for n := range 25 {
		s.do("CreateCluster", `{"clusterName": "c%02d"}`, n)
	}
	var seen []string
	token := ""
	for range 10 {
		page := s.do("ListClusters", `{"maxResults": 10, "nextToken": %q}`, token)
		for _, c := range get(page, "clusterArns").([]any) {
			seen = append(seen, c.(string)[len(c.(string))-3:])
		}
		s.do("DeleteCluster", `{"cluster": %q}`, seen[len(seen)-1]) // what the token was made of goes away
		next, more := get(page, "nextToken").(string)
		if token = next; !more {
			break
		}
	}
	var want []string
	for n := range 25 {
		want = append(want, fmt.Sprintf("c%02d", n))
	}
	expect(t, "pages", seen, want)
}
