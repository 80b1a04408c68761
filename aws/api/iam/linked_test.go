package iam_test

import (
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/identity/linked"
	"github.com/berthhq/berth/store"
)

func TestServiceLinkedRolesAreAWSs(t *testing.T) {
	s := start(t, nil)
	made := s.do("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com")
	s.expect("arn", made.get("Role/Arn"), "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
	s.refused("InvalidInput", "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix.", "CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com")
	s.refused("InvalidInput", "Service Linked Role is not supported for service lambda.amazonaws.com", "CreateServiceLinkedRole", "AWSServiceName=lambda.amazonaws.com")
	s.refused("InvalidInput", "Custom suffix is not allowed for ecs.amazonaws.com", "CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com", "CustomSuffix=x")
	s.expect("suffix", s.do("CreateServiceLinkedRole", "AWSServiceName=autoscaling.amazonaws.com", "CustomSuffix=x").get("Role/RoleName"), "AWSServiceRoleForAutoScaling_x")
	s.expect("policy", s.do("ListAttachedRolePolicies", "RoleName=AWSServiceRoleForECS").texts("AttachedPolicies/member/PolicyName"), "AmazonECSServiceRolePolicy")
	protected := "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS"
	for _, operation := range []string{"DeleteRole", "UpdateRole", "AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"} {
		s.refused("UnmodifiableEntity", protected, operation, "RoleName=AWSServiceRoleForECS", "Tags.member.1.Key=k", "Tags.member.1.Value=v", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess", "PolicyName=p", "PolicyDocument="+readS3)
	}
	s.do("UpdateRoleDescription", "RoleName=AWSServiceRoleForECS", "Description=mine")
	s.do("TagRole", "RoleName=AWSServiceRoleForECS", "Tags.member.1.Key=k", "Tags.member.1.Value=v")
	got := s.do("GetRole", "RoleName=AWSServiceRoleForECS")
	s.expect("what may change", got.get("Role/Description")+got.get("Role/Tags/member/Key"), "minek")
}

func TestServiceLinkedRolesGoWhenNothingUsesThem(t *testing.T) {
	s := start(t, nil)
	c := &cluster.Cluster{Scope: gatewaytest.Scope, ARN: gatewaytest.Scope.Cluster("c"), Name: "c", Status: cluster.Active}
	s.Put(t, func(tx *store.Tx) {
		store.Clusters.Put(tx, c)
		for range 2 { // the second finds it
			if err := store.EnsureLinkedRole(tx, gatewaytest.Scope, linked.ECS, time.Now()); err != nil {
				t.Error(err)
			}
		}
	})
	task := s.do("DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForECS").get("DeletionTaskId")
	status := s.do("GetServiceLinkedRoleDeletionStatus", "DeletionTaskId="+task)
	s.expect("status", status.get("Status")+status.get("Reason/RoleUsageList/member/Region")+status.get("Reason/RoleUsageList/member/Resources/member"), "FAILEDeu-central-1"+c.ARN)
	s.do("GetRole", "RoleName=AWSServiceRoleForECS")

	s.Put(t, func(tx *store.Tx) { store.Clusters.Delete(tx, c.ARN) })
	task = s.do("DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForECS").get("DeletionTaskId")
	s.expect("status", s.do("GetServiceLinkedRoleDeletionStatus", "DeletionTaskId="+task).get("Status"), "SUCCEEDED")
	s.refused("NoSuchEntity", "The role with name AWSServiceRoleForECS cannot be found.", "GetRole", "RoleName=AWSServiceRoleForECS")
	s.refused("InvalidInput", "Invalid deletion task id x", "GetServiceLinkedRoleDeletionStatus", "DeletionTaskId=x")
}

func TestTheFirstStartMakesTheRolesOfTheGuides(t *testing.T) {
	s := start(t, nil)
	for range 2 { // starting again changes nothing
		if err := iam.EnsureFirstRoles(t.Context(), s.Store, gatewaytest.Scope, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for role, policy := range map[string]string{"ecsTaskExecutionRole": "AmazonECSTaskExecutionRolePolicy", "ecsInstanceRole": "AmazonEC2ContainerServiceforEC2Role"} {
		s.expect(role, s.do("ListAttachedRolePolicies", "RoleName="+role).texts("AttachedPolicies/member/PolicyName"), policy)
		s.expect(role, s.do("ListRolePolicies", "RoleName="+role).texts("PolicyNames/member"), "create-log-groups")
	}
	s.expect("profile", s.do("GetInstanceProfile", "InstanceProfileName=ecsInstanceRole").get("InstanceProfile/Roles/member/RoleName"), "ecsInstanceRole")

	s.do("DetachRolePolicy", "RoleName=ecsTaskExecutionRole", "PolicyArn=arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
	s.do("DeleteRolePolicy", "RoleName=ecsTaskExecutionRole", "PolicyName=create-log-groups")
	s.do("DeleteRole", "RoleName=ecsTaskExecutionRole")
	if err := iam.EnsureFirstRoles(t.Context(), s.Store, gatewaytest.Scope, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.refused("NoSuchEntity", "The role with name ecsTaskExecutionRole cannot be found.", "GetRole", "RoleName=ecsTaskExecutionRole")
}
