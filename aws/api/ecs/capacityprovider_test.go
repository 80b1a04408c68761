package ecs_test

import (
	"testing"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

const group = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0f6a1e7e-2d5b-4e0c-8a39-6a8f5d6b0a11:autoScalingGroupName/"

// provider makes a capacity provider over an Auto Scaling group of its name.
func (s *server) provider(name, managedScaling string) {
	s.t.Helper()
	s.do("CreateCapacityProvider", `{"name": %q, "autoScalingGroupProvider": {"autoScalingGroupArn": %q, "managedScaling": {"status": %q}}}`, name, group+name, managedScaling)
}

func TestCapacityProviderLife(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "prod"}`)
	made := s.do("CreateCapacityProvider", `{"name": "big", "tags": [{"key": "a", "value": "b"}],
		"autoScalingGroupProvider": {"autoScalingGroupArn": "`+group+`big", "managedScaling": {"targetCapacity": 90}, "managedTerminationProtection": "ENABLED"}}`)
	provider := object{
		"capacityProviderArn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/big", "name": "big", "status": "ACTIVE",
		"updateStatus": "CREATE_COMPLETE", "type": "EC2_AUTOSCALING", "tags": []any{object{"key": "a", "value": "b"}},
		"autoScalingGroupProvider": object{
			"autoScalingGroupArn": group + "big", "managedTerminationProtection": "ENABLED", "managedDraining": "ENABLED",
			"managedScaling": object{"status": "ENABLED", "targetCapacity": 90.0, "minimumScalingStepSize": 1.0, "maximumScalingStepSize": 10000.0, "instanceWarmupPeriod": 300.0},
		},
	}
	expect(t, "made", get(made, "capacityProvider"), provider)
	expect(t, "described with tags", get(s.do("DescribeCapacityProviders", `{"capacityProviders": ["big"], "include": ["TAGS"]}`), "capacityProviders", 0), provider)
	plain := s.do("DescribeCapacityProviders", `{"capacityProviders": ["arn:aws:ecs:eu-central-1:123456789012:capacity-provider/big", "gone"]}`)
	expect(t, "tags are only included on request", get(plain, "capacityProviders", 0, "tags"), []any{})
	expect(t, "failures", get(plain, "failures"), []any{object{"arn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/gone", "reason": "MISSING"}})

	s.do("TagResource", `{"resourceArn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/big", "tags": [{"key": "c", "value": "d"}]}`)
	tags := s.do("ListTagsForResource", `{"resourceArn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/big"}`)
	expect(t, "tagged", get(tags, "tags", 1), object{"key": "c", "value": "d"})

	updated := s.do("UpdateCapacityProvider", `{"name": "big", "autoScalingGroupProvider": {"managedScaling": {"maximumScalingStepSize": 5}, "managedDraining": "DISABLED"}}`)
	expect(t, "updated", get(updated, "capacityProvider", "updateStatus"), "UPDATE_COMPLETE")
	expect(t, "what was not said stays", get(updated, "capacityProvider", "autoScalingGroupProvider", "managedScaling"),
		object{"status": "ENABLED", "targetCapacity": 90.0, "minimumScalingStepSize": 1.0, "maximumScalingStepSize": 5.0, "instanceWarmupPeriod": 300.0})

	s.do("PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["big"], "defaultCapacityProviderStrategy": [{"capacityProvider": "big"}]}`)
	kept := s.do("DeleteCapacityProvider", `{"capacityProvider": "big"}`)
	has(t, get(kept, "capacityProvider").(object), object{"status": "ACTIVE", "updateStatus": "DELETE_FAILED",
		"updateStatusReason": "The capacity provider cannot be deleted because it is associated with cluster: prod. Remove the capacity provider from the cluster and try again."})
	s.do("PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": [], "defaultCapacityProviderStrategy": []}`)
	has(t, get(s.do("DeleteCapacityProvider", `{"capacityProvider": "big"}`), "capacityProvider").(object), object{"status": "ACTIVE", "updateStatus": "DELETE_IN_PROGRESS"})
	has(t, get(s.do("DescribeCapacityProviders", `{"capacityProviders": ["big"]}`), "capacityProviders", 0).(object), object{"status": "INACTIVE", "updateStatus": "DELETE_COMPLETE"})
	s.provider("big", "DISABLED") // the name is free again
}

func TestCapacityProviderPages(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "prod"}`)
	for _, name := range []string{"a", "b", "c"} {
		s.provider(name, "ENABLED")
	}
	names := func(a answer) (out []any) {
		for _, p := range get(a, "capacityProviders").([]any) {
			out = append(out, p.(object)["name"])
		}
		return out
	}
	first := s.do("DescribeCapacityProviders", `{"maxResults": 2}`)
	expect(t, "Fargate's are always there", names(first), []any{"FARGATE", "FARGATE_SPOT"})
	expect(t, "the rest", names(s.do("DescribeCapacityProviders", `{"nextToken": %q}`, get(first, "nextToken"))), []any{"a", "b", "c"})
	s.do("PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["FARGATE", "b"], "defaultCapacityProviderStrategy": []}`)
	expect(t, "of a cluster", names(s.do("DescribeCapacityProviders", `{"cluster": "prod"}`)), []any{"FARGATE", "b"})
	expect(t, "not of the cluster", get(s.do("DescribeCapacityProviders", `{"cluster": "prod", "capacityProviders": ["a"]}`), "failures", 0, "reason"), "MISSING")
}

func TestCapacityProviderRefusals(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "prod"}`)
	s.do("CreateCluster", `{"clusterName": "other"}`)
	s.provider("big", "ENABLED")
	s.do("PutClusterCapacityProviders", `{"cluster": "other", "capacityProviders": ["big"], "defaultCapacityProviderStrategy": []}`)
	over := `"autoScalingGroupProvider": {"autoScalingGroupArn": "` + group + `x"`
	for _, c := range []struct{ operation, body, kind, message string }{
		{"CreateCapacityProvider", `{"name": "a b", ` + over + `}}`, "InvalidParameterException", "The specified capacity provider name is not valid."},
		{"CreateCapacityProvider", `{"name": "AWSmine", ` + over + `}}`, "InvalidParameterException", "The specified capacity provider name is not valid."},
		{"CreateCapacityProvider", `{"name": "big", ` + over + `}}`, "ClientException", "The specified capacity provider already exists."},
		{"CreateCapacityProvider", `{"name": "x"}`, "ClientException", "Exactly one of"},
		{"CreateCapacityProvider", `{"name": "x", "cluster": "prod", ` + over + `}}`, "ClientException", "A cluster cannot be specified"},
		{"CreateCapacityProvider", `{"name": "x", "autoScalingGroupProvider": {"autoScalingGroupArn": "arn:aws:ec2:eu-central-1:123456789012:instance/i-1"}}`, "ClientException", "The specified Auto Scaling group ARN is not valid."},
		{"CreateCapacityProvider", `{"name": "x", "autoScalingGroupProvider": {"autoScalingGroupArn": "` + group + `big"}}`, "ClientException", "The specified Auto Scaling group ARN is already being used by another capacity provider."},
		{"CreateCapacityProvider", `{"name": "x", ` + over + `, "managedTerminationProtection": "ENABLED"}}`, "ClientException", "The managed termination protection setting for the capacity provider is invalid."},
		{"CreateCapacityProvider", `{"name": "x", ` + over + `, "managedScaling": {"minimumScalingStepSize": 9, "maximumScalingStepSize": 3}}}`, "InvalidParameterException", "minimumScalingStepSize"},
		{"CreateCapacityProvider", `{"name": "x", ` + over + `, "managedDraining": "SOON"}}`, "InvalidParameterException", "managedDraining should be one of"},
		{"UpdateCapacityProvider", `{"name": "FARGATE", "autoScalingGroupProvider": {}}`, "ClientException", "The specified capacity provider is reserved"},
		{"UpdateCapacityProvider", `{"name": "gone", "autoScalingGroupProvider": {}}`, "InvalidParameterException", "The specified capacity provider does not exist."},
		{"UpdateCapacityProvider", `{"name": "big"}`, "ClientException", "The update must be of the kind"},
		{"DeleteCapacityProvider", `{"capacityProvider": "FARGATE_SPOT"}`, "ClientException", "The specified capacity provider is reserved and cannot be deleted."},
		{"DeleteCapacityProvider", `{"capacityProvider": "gone"}`, "InvalidParameterException", "The specified capacity provider does not exist."},
		{"DescribeCapacityProviders", `{"maxResults": 11}`, "InvalidParameterException", "maxResults should be between 1 and 10"},
		{"DescribeCapacityProviders", `{"cluster": "gone"}`, "ClusterNotFoundException", "Cluster not found."},
		{"PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["gone"], "defaultCapacityProviderStrategy": []}`, "InvalidParameterException", "The specified capacity provider does not exist."},
		{"PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["big"], "defaultCapacityProviderStrategy": []}`, "InvalidParameterException", "The capacity provider 'big' is already associated with another cluster."},
		{"PutClusterCapacityProviders", `{"cluster": "other", "capacityProviders": ["big", "FARGATE"], "defaultCapacityProviderStrategy": [{"capacityProvider": "big", "weight": 1}, {"capacityProvider": "FARGATE", "weight": 1}]}`,
			"InvalidParameterException", "A capacity provider strategy cannot contain a mix"},
		{"PutClusterCapacityProviders", `{"cluster": "other", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [{"capacityProvider": "big"}]}`,
			"InvalidParameterException", "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster."},
	} {
		s.refused(c.operation, c.body, c.kind, c.message)
	}
}

func TestManagedInstancesAreOfOneCluster(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "prod"}`)
	configuration := `{"infrastructureRoleArn": "arn:aws:iam::123456789012:role/infra", "instanceLaunchTemplate": {
		"ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/p", "networkConfiguration": {"subnets": ["subnet-a"]}}}`
	s.refused("CreateCapacityProvider", `{"name": "managed", "managedInstancesProvider": `+configuration+`}`, "ClientException", "The cluster of a managed instances capacity provider must be specified.")
	made := s.do("CreateCapacityProvider", `{"name": "managed", "cluster": "prod", "managedInstancesProvider": %s}`, configuration)
	has(t, get(made, "capacityProvider").(object), object{"type": "MANAGED_INSTANCES", "cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod"})
	updated := s.do("UpdateCapacityProvider", `{"name": "managed", "cluster": "prod", "managedInstancesProvider": {"infrastructureRoleArn": "arn:aws:iam::123456789012:role/new",
		"instanceLaunchTemplate": {"monitoring": "DETAILED"}}}`)
	expect(t, "configuration", get(updated, "capacityProvider", "managedInstancesProvider"), object{
		"infrastructureRoleArn": "arn:aws:iam::123456789012:role/new", "propagateTags": "NONE", "instanceLaunchTemplate": object{
			"ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/p", "networkConfiguration": object{"subnets": []any{"subnet-a"}}, "monitoring": "DETAILED"},
	})

	c := s.do("PutClusterCapacityProviders", `{"cluster": "prod", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": [{"capacityProvider": "managed"}]}`)
	expect(t, "it stays with its cluster", get(c, "cluster", "capacityProviders"), []any{"FARGATE", "managed"})
	s.refused("CreateCluster", `{"clusterName": "other", "capacityProviders": ["managed"]}`, "InvalidParameterException", "The specified capacity provider does not exist.")
	s.refused("DeleteCluster", `{"cluster": "prod"}`, "ClusterContainsCapacityProviderException", "The Cluster cannot be deleted while Cluster Scoped Capacity Providers")
	s.do("DeleteCapacityProvider", `{"capacityProvider": "managed", "cluster": "prod"}`)
	left := s.do("DescribeClusters", `{"clusters": ["prod"]}`)
	expect(t, "it left", []any{get(left, "clusters", 0, "capacityProviders"), get(left, "clusters", 0, "defaultCapacityProviderStrategy")}, []any{[]any{"FARGATE"}, []any{}})
	s.do("DeleteCluster", `{"cluster": "prod"}`)
}

func TestClusterShowsWhatIsAttached(t *testing.T) {
	s := start(t)
	s.provider("big", "ENABLED")
	s.do("CreateCluster", `{"clusterName": "prod", "capacityProviders": ["big"]}`)
	c := get(s.do("DescribeClusters", `{"clusters": ["prod"], "include": ["ATTACHMENTS"]}`), "clusters", 0).(object)
	expect(t, "status", c["attachmentsStatus"], "UPDATE_COMPLETE")
	has(t, get(c, "attachments", 0).(object), object{"type": "as_policy", "status": "CREATED"})
	expect(t, "whose", get(c, "attachments", 0, "details", 0), object{"name": "capacityProviderName", "value": "big"})
	expect(t, "draining", get(c, "attachments", 1, "type"), "managed_draining")
	plain := get(s.do("DescribeClusters", `{"clusters": ["prod"]}`), "clusters", 0).(object)
	if plain["attachments"] != nil || plain["attachmentsStatus"] != nil {
		t.Errorf("shown unasked: %v", plain)
	}
}

func TestInstancesBelongToTheirProvider(t *testing.T) {
	s := start(t)
	s.do("CreateCluster", `{"clusterName": "default"}`)
	s.provider("big", "ENABLED")
	i := s.instanceIn("default", 1024, 1024, `, {"name": "berth.capacity-provider", "value": "big"}`)
	shown := func() any {
		return get(s.do("DescribeContainerInstances", `{"containerInstances": [%q]}`, i), "containerInstances", 0, "capacityProviderName")
	}
	expect(t, "not of the cluster yet", shown(), nil)
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": ["big"], "defaultCapacityProviderStrategy": []}`)
	expect(t, "of the cluster", shown(), "big")
	s.do("PutClusterCapacityProviders", `{"cluster": "default", "capacityProviders": [], "defaultCapacityProviderStrategy": []}`)
	expect(t, "no longer", shown(), nil)
}

func TestCapacityProvidersByCommandLine(t *testing.T) {
	s := start(t)
	s.cli("create-cluster", "--cluster-name", "prod")
	made := s.cli("create-capacity-provider", "--name", "big", "--tags", "key=a,value=b",
		"--auto-scaling-group-provider", "autoScalingGroupArn="+group+"big,managedScaling={status=ENABLED,targetCapacity=80}")
	expect(t, "made", get(made, "capacityProvider", "autoScalingGroupProvider", "managedScaling", "targetCapacity"), 80.0)
	put := s.cli("put-cluster-capacity-providers", "--cluster", "prod", "--capacity-providers", "big", "FARGATE",
		"--default-capacity-provider-strategy", "capacityProvider=big,weight=2,base=1")
	expect(t, "strategy", get(put, "cluster", "defaultCapacityProviderStrategy"), []any{object{"capacityProvider": "big", "weight": 2.0, "base": 1.0}})
	described := s.cli("describe-capacity-providers", "--capacity-providers", "big", "--include", "TAGS")
	expect(t, "tags", get(described, "capacityProviders", 0, "tags"), []any{object{"key": "a", "value": "b"}})
	expect(t, "all", len(get(s.cli("describe-capacity-providers"), "capacityProviders").([]any)), 3)
	expect(t, "kept", get(s.cli("delete-capacity-provider", "--capacity-provider", "big"), "capacityProvider", "updateStatus"), "DELETE_FAILED")
}

func TestServicesHoldTheirProviders(t *testing.T) {
	s := start(t)
	s.provider("big", "ENABLED")
	c := get(s.do("CreateCluster", `{"clusterName": "prod", "capacityProviders": ["big"]}`), "cluster", "clusterArn").(string)
	svc := &service.Service{
		Scope: scope, ARN: scope.Service("prod", "web"), Name: "web", ClusterARN: c, Status: service.Active,
		Spec: service.Spec{Template: service.Template{Providers: []cluster.CapacityProviderStrategyItem{{Provider: "big", Weight: 1}}}},
	}
	s.update(func(tx *store.Tx) { store.Services.Put(tx, svc) })
	without := `{"cluster": "prod", "capacityProviders": [], "defaultCapacityProviderStrategy": []}`
	s.refused("PutClusterCapacityProviders", without, "ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
	ended := *svc
	ended.Status = service.Inactive
	s.update(func(tx *store.Tx) { store.Services.Put(tx, &ended) })
	s.do("PutClusterCapacityProviders", "%s", without)
}
