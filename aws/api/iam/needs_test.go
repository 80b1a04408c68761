package iam_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/iam"
)

// everything is a value for every parameter that some operation must have.
const everything = "UserName=ada&GroupName=devs&RoleName=app&InstanceProfileName=machines&PolicyName=inline&VersionId=v1&Status=Active&Description=x" +
	"&AccessKeyId=AKIAIOSFODNN7EXAMPLE&SerialNumber=arn:aws:iam::1:mfa/x&SSHPublicKeyId=APKAIOSFODNN7EXAMPLE&CertificateId=TA7SMP42TDN5Z26OBPJE7EXAMPLE" +
	"&ServiceSpecificCredentialId=ACCAIOSFODNN7EXAMPLE&Password=12345678&TagKeys.member.1=k&Tags.member.1.Key=k&Tags.member.1.Value=v" +
	"&AccountAlias=house&ServerCertificateName=c&JobId=00000000-0000-0000-0000-000000000000&DeletionTaskId=task/x&ActionNames.member.1=s3:GetObject" +
	"&OpenIDConnectProviderArn=arn:aws:iam::123456789012:oidc-provider/x&OldPassword=a&NewPassword=b"

// TestAuthorisation tries the operations on what is there under a path, so that names
// must have been looked up.
func TestAuthorisation(t *testing.T) {
	const (
		user, group, role = "arn:aws:iam::123456789012:user/x/ada", "arn:aws:iam::123456789012:group/x/devs", "arn:aws:iam::123456789012:role/x/app"
		profile           = "arn:aws:iam::123456789012:instance-profile/x/machines"
		policy            = "arn:aws:iam::123456789012:policy/x/read"
	)
	begin := func(t testing.TB) *gatewaytest.Server {
		s := start(t.(*testing.T), nil)
		s.do("CreateUser", "UserName=ada", "Path=/x/")
		s.do("CreateGroup", "GroupName=devs", "Path=/x/")
		s.do("CreateRole", "RoleName=app", "Path=/x/", "AssumeRolePolicyDocument="+trustECS)
		s.do("CreateInstanceProfile", "InstanceProfileName=machines", "Path=/x/")
		s.do("CreatePolicy", "PolicyName=read", "Path=/x/", "PolicyDocument="+readS3)
		return s.Server
	}
	input := everything + "&PolicyArn=" + policy + "&PermissionsBoundary=" + policy + "&Arn=" + role + "&PolicySourceArn=" + role +
		"&PolicyDocument=" + url.QueryEscape(readS3) + "&PolicyInputList.member.1=" + url.QueryEscape(readS3) + "&AssumeRolePolicyDocument=" + url.QueryEscape(trustECS)
	var cases []gatewaytest.Authorised
	add := func(resource, operations string) {
		for operation := range strings.FieldsSeq(operations) {
			need := gateway.Need{Action: "iam:" + operation}
			if resource != "" {
				need.Resources = []string{resource}
			}
			switch {
			case strings.HasPrefix(operation, "Attach"), strings.HasPrefix(operation, "Detach"):
				need.Keys = map[string][]string{"iam:PolicyARN": {policy}}
			case strings.HasPrefix(operation, "Put") && strings.HasSuffix(operation, "Boundary"):
				need.Keys = map[string][]string{"iam:PermissionsBoundary": {policy}}
			}
			cases = append(cases, gatewaytest.Authorised{Operation: operation, Input: input, Needs: []gateway.Need{need}})
		}
	}
	add("", `CreateAccountAlias DeleteAccountAlias DeleteAccountPasswordPolicy DeleteOpenIDConnectProvider
		DeleteServerCertificate DeleteVirtualMFADevice GetAccessKeyLastUsed GetAccountAuthorizationDetails
		GetAccountPasswordPolicy GetAccountSummary GetContextKeysForCustomPolicy GetOpenIDConnectProvider
		GetServerCertificate GetServiceLastAccessedDetails GetServiceLinkedRoleDeletionStatus ListAccountAliases
		ListGroups ListInstanceProfiles ListOpenIDConnectProviders ListPolicies ListRoles ListSAMLProviders
		ListServerCertificates ListServiceSpecificCredentials ListUsers ListVirtualMFADevices SimulateCustomPolicy
		UpdateAccountPasswordPolicy`)
	add(user, `AttachUserPolicy CreateAccessKey CreateLoginProfile DeactivateMFADevice DeleteAccessKey DeleteLoginProfile
		DeleteSSHPublicKey DeleteServiceSpecificCredential DeleteSigningCertificate DeleteUser
		DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy GetLoginProfile GetUser GetUserPolicy
		ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListMFADevices ListSSHPublicKeys
		ListSigningCertificates ListUserPolicies ListUserTags PutUserPermissionsBoundary PutUserPolicy TagUser
		UntagUser UpdateAccessKey UpdateLoginProfile`)
	add(group, `AddUserToGroup AttachGroupPolicy DeleteGroup DeleteGroupPolicy DetachGroupPolicy GetGroup GetGroupPolicy
		ListAttachedGroupPolicies ListGroupPolicies PutGroupPolicy RemoveUserFromGroup`)
	add(role, `AttachRolePolicy DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DeleteServiceLinkedRole
		DetachRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies
		ListRoleTags PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole
		UpdateRoleDescription`)
	add(profile, `DeleteInstanceProfile GetInstanceProfile ListInstanceProfileTags RemoveRoleFromInstanceProfile
		TagInstanceProfile UntagInstanceProfile`)
	add(policy, `CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListEntitiesForPolicy
		ListPolicyTags ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy`)
	add(role, "SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy GenerateServiceLastAccessedDetails")
	one := func(operation, input string, needs ...gateway.Need) {
		needs[0].Action = "iam:" + operation
		cases = append(cases, gatewaytest.Authorised{Operation: operation, Input: input, Needs: needs})
	}
	bounded := map[string][]string{"iam:PermissionsBoundary": {policy}}
	one("CreateUser", "UserName=eve&Path=/y/&PermissionsBoundary="+policy, gateway.Need{Resources: []string{"arn:aws:iam::123456789012:user/y/eve"}, Keys: bounded})
	one("CreateRole", "RoleName=r&PermissionsBoundary="+policy+"&AssumeRolePolicyDocument="+url.QueryEscape(trustECS), gateway.Need{Resources: []string{"arn:aws:iam::123456789012:role/r"}, Keys: bounded})
	one("CreateGroup", "GroupName=g", gateway.Need{Resources: []string{"arn:aws:iam::123456789012:group/g"}})
	one("CreatePolicy", "PolicyName=p&PolicyDocument="+url.QueryEscape(readS3), gateway.Need{Resources: []string{"arn:aws:iam::123456789012:policy/p"}})
	one("CreateInstanceProfile", "InstanceProfileName=i", gateway.Need{Resources: []string{"arn:aws:iam::123456789012:instance-profile/i"}})
	one("UpdateUser", "UserName=ada&NewUserName=eve&NewPath=/y/", gateway.Need{Resources: []string{user, "arn:aws:iam::123456789012:user/y/eve"}})
	one("UpdateGroup", "GroupName=devs&NewGroupName=ops&NewPath=/y/", gateway.Need{Resources: []string{group, "arn:aws:iam::123456789012:group/y/ops"}})
	one("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com", gateway.Need{
		Resources: []string{"arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}, Keys: map[string][]string{"iam:AWSServiceName": {"ecs.amazonaws.com"}},
	})
	one("AddRoleToInstanceProfile", "InstanceProfileName=machines&RoleName=app", gateway.Need{Resources: []string{profile}},
		gateway.Need{Action: "iam:PassRole", Resources: []string{role}, Keys: map[string][]string{"iam:PassedToService": {"ec2.amazonaws.com"}}})
	one("ChangePassword", "OldPassword=a&NewPassword=b", gateway.Need{Resources: []string{"arn:aws:sts::123456789012:assumed-role/tester/test"}})
	gatewaytest.Authorisation(t, begin, shape.API, cases)
}
