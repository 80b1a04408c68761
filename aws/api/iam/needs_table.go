package iam

import (
	"maps"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/shape/iam"
)

// Needs says by operation what its callers must be allowed to do.
func (a *API) Needs() map[string]gateway.Needs {
	all := map[string]gateway.Needs{}
	for _, of := range []map[string]gateway.Needs{a.userNeeds(), a.groupNeeds(), a.roleNeeds(), a.profileNeeds(), a.policyNeeds()} {
		maps.Copy(all, of)
	}
	return all
}

// userNeeds are those about users.
func (a *API) userNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"CreateAccessKey": on(func(c *gateway.Call, in *iam.CreateAccessKeyRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteAccessKey": on(func(c *gateway.Call, in *iam.DeleteAccessKeyRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"UpdateAccessKey": on(func(c *gateway.Call, in *iam.UpdateAccessKeyRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListAccessKeys": on(func(c *gateway.Call, in *iam.ListAccessKeysRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"GetUser": on(func(c *gateway.Call, in *iam.GetUserRequest) (string, keys) { return a.userARN(c, in.UserName), nil }),
		"CreateLoginProfile": on(func(c *gateway.Call, in *iam.CreateLoginProfileRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"GetLoginProfile": on(func(c *gateway.Call, in *iam.GetLoginProfileRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteLoginProfile": on(func(c *gateway.Call, in *iam.DeleteLoginProfileRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListMFADevices": on(func(c *gateway.Call, in *iam.ListMFADevicesRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeactivateMFADevice": on(func(c *gateway.Call, in *iam.DeactivateMFADeviceRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListSSHPublicKeys": on(func(c *gateway.Call, in *iam.ListSSHPublicKeysRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListSigningCertificates": on(func(c *gateway.Call, in *iam.ListSigningCertificatesRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteSigningCertificate": on(func(c *gateway.Call, in *iam.DeleteSigningCertificateRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteServiceSpecificCredential": on(func(c *gateway.Call, in *iam.DeleteServiceSpecificCredentialRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteUser": on(func(c *gateway.Call, in *iam.DeleteUserRequest) (string, keys) { return a.userARN(c, in.UserName), nil }),
		"TagUser":    on(func(c *gateway.Call, in *iam.TagUserRequest) (string, keys) { return a.userARN(c, in.UserName), nil }),
		"UntagUser":  on(func(c *gateway.Call, in *iam.UntagUserRequest) (string, keys) { return a.userARN(c, in.UserName), nil }),
		"ListUserTags": on(func(c *gateway.Call, in *iam.ListUserTagsRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListGroupsForUser": on(func(c *gateway.Call, in *iam.ListGroupsForUserRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListUserPolicies": on(func(c *gateway.Call, in *iam.ListUserPoliciesRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"GetUserPolicy": on(func(c *gateway.Call, in *iam.GetUserPolicyRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"ListAttachedUserPolicies": on(func(c *gateway.Call, in *iam.ListAttachedUserPoliciesRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"UpdateLoginProfile": on(func(c *gateway.Call, in *iam.UpdateLoginProfileRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"DeleteSSHPublicKey": on(func(c *gateway.Call, in *iam.DeleteSSHPublicKeyRequest) (string, keys) {
			return a.userARN(c, in.UserName), nil
		}),
		"UpdateUser": gateway.NeedsOf(func(c *gateway.Call, in *iam.UpdateUserRequest) []gateway.Need {
			return renamed(c, a.userARN(c, in.UserName), "user", in.NewPath, in.NewUserName)
		}),
		"CreateUser": on(func(c *gateway.Call, in *iam.CreateUserRequest) (string, keys) {
			return newARN(c, "user", in.Path, *in.UserName), bounds(member.Value(in.PermissionsBoundary))
		}),
		"ChangePassword": on(func(c *gateway.Call, _ *iam.ChangePasswordRequest) (string, keys) { return c.Principal.ARN, nil }),
		"PutUserPermissionsBoundary": on(func(c *gateway.Call, in *iam.PutUserPermissionsBoundaryRequest) (string, keys) {
			return a.userARN(c, in.UserName), bounds(*in.PermissionsBoundary)
		}),
		"DeleteUserPermissionsBoundary": on(func(c *gateway.Call, in *iam.DeleteUserPermissionsBoundaryRequest) (string, keys) {
			return a.userARN(c, in.UserName), a.boundsOf(c, userHolder, *in.UserName)
		}),
		"PutUserPolicy": on(func(c *gateway.Call, in *iam.PutUserPolicyRequest) (string, keys) {
			return a.userARN(c, in.UserName), a.boundsOf(c, userHolder, *in.UserName)
		}),
		"DeleteUserPolicy": on(func(c *gateway.Call, in *iam.DeleteUserPolicyRequest) (string, keys) {
			return a.userARN(c, in.UserName), a.boundsOf(c, userHolder, *in.UserName)
		}),
		"AttachUserPolicy": on(func(c *gateway.Call, in *iam.AttachUserPolicyRequest) (string, keys) {
			return a.userARN(c, in.UserName), a.attaching(c, userHolder, *in.UserName, *in.PolicyArn)
		}),
		"DetachUserPolicy": on(func(c *gateway.Call, in *iam.DetachUserPolicyRequest) (string, keys) {
			return a.userARN(c, in.UserName), a.attaching(c, userHolder, *in.UserName, *in.PolicyArn)
		}),
	}
}

// groupNeeds are those about groups.
func (a *API) groupNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"DeleteGroup": on(func(c *gateway.Call, in *iam.DeleteGroupRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"GetGroup": on(func(c *gateway.Call, in *iam.GetGroupRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"ListGroupPolicies": on(func(c *gateway.Call, in *iam.ListGroupPoliciesRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"GetGroupPolicy": on(func(c *gateway.Call, in *iam.GetGroupPolicyRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"ListAttachedGroupPolicies": on(func(c *gateway.Call, in *iam.ListAttachedGroupPoliciesRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"PutGroupPolicy": on(func(c *gateway.Call, in *iam.PutGroupPolicyRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"DeleteGroupPolicy": on(func(c *gateway.Call, in *iam.DeleteGroupPolicyRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"AddUserToGroup": on(func(c *gateway.Call, in *iam.AddUserToGroupRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"RemoveUserFromGroup": on(func(c *gateway.Call, in *iam.RemoveUserFromGroupRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), nil
		}),
		"UpdateGroup": gateway.NeedsOf(func(c *gateway.Call, in *iam.UpdateGroupRequest) []gateway.Need {
			return renamed(c, a.groupARN(c, *in.GroupName), "group", in.NewPath, in.NewGroupName)
		}),
		"CreateGroup": on(func(c *gateway.Call, in *iam.CreateGroupRequest) (string, keys) {
			return newARN(c, "group", in.Path, *in.GroupName), nil
		}),
		"AttachGroupPolicy": on(func(c *gateway.Call, in *iam.AttachGroupPolicyRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), keys{"iam:PolicyARN": {*in.PolicyArn}}
		}),
		"DetachGroupPolicy": on(func(c *gateway.Call, in *iam.DetachGroupPolicyRequest) (string, keys) {
			return a.groupARN(c, *in.GroupName), keys{"iam:PolicyARN": {*in.PolicyArn}}
		}),
	}
}

// roleNeeds are those about roles.
func (a *API) roleNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"GetRole": on(func(c *gateway.Call, in *iam.GetRoleRequest) (string, keys) { return a.roleARN(c, *in.RoleName), nil }),
		"DeleteRole": on(func(c *gateway.Call, in *iam.DeleteRoleRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"TagRole":   on(func(c *gateway.Call, in *iam.TagRoleRequest) (string, keys) { return a.roleARN(c, *in.RoleName), nil }),
		"UntagRole": on(func(c *gateway.Call, in *iam.UntagRoleRequest) (string, keys) { return a.roleARN(c, *in.RoleName), nil }),
		"ListRoleTags": on(func(c *gateway.Call, in *iam.ListRoleTagsRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"ListRolePolicies": on(func(c *gateway.Call, in *iam.ListRolePoliciesRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"GetRolePolicy": on(func(c *gateway.Call, in *iam.GetRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"ListAttachedRolePolicies": on(func(c *gateway.Call, in *iam.ListAttachedRolePoliciesRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"UpdateRole": on(func(c *gateway.Call, in *iam.UpdateRoleRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"UpdateRoleDescription": on(func(c *gateway.Call, in *iam.UpdateRoleDescriptionRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"UpdateAssumeRolePolicy": on(func(c *gateway.Call, in *iam.UpdateAssumeRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"ListInstanceProfilesForRole": on(func(c *gateway.Call, in *iam.ListInstanceProfilesForRoleRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"DeleteServiceLinkedRole": on(func(c *gateway.Call, in *iam.DeleteServiceLinkedRoleRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), nil
		}),
		"CreateRole": on(func(c *gateway.Call, in *iam.CreateRoleRequest) (string, keys) {
			return newARN(c, "role", in.Path, *in.RoleName), bounds(member.Value(in.PermissionsBoundary))
		}),
		"CreateServiceLinkedRole": on(linkedNeeds),
		"PutRolePermissionsBoundary": on(func(c *gateway.Call, in *iam.PutRolePermissionsBoundaryRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), bounds(*in.PermissionsBoundary)
		}),
		"DeleteRolePermissionsBoundary": on(func(c *gateway.Call, in *iam.DeleteRolePermissionsBoundaryRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), a.boundsOf(c, roleHolder, *in.RoleName)
		}),
		"PutRolePolicy": on(func(c *gateway.Call, in *iam.PutRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), a.boundsOf(c, roleHolder, *in.RoleName)
		}),
		"DeleteRolePolicy": on(func(c *gateway.Call, in *iam.DeleteRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), a.boundsOf(c, roleHolder, *in.RoleName)
		}),
		"AttachRolePolicy": on(func(c *gateway.Call, in *iam.AttachRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), a.attaching(c, roleHolder, *in.RoleName, *in.PolicyArn)
		}),
		"DetachRolePolicy": on(func(c *gateway.Call, in *iam.DetachRolePolicyRequest) (string, keys) {
			return a.roleARN(c, *in.RoleName), a.attaching(c, roleHolder, *in.RoleName, *in.PolicyArn)
		}),
	}
}

// profileNeeds are those about instance profiles.
func (a *API) profileNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"GetInstanceProfile": on(func(c *gateway.Call, in *iam.GetInstanceProfileRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"DeleteInstanceProfile": on(func(c *gateway.Call, in *iam.DeleteInstanceProfileRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"TagInstanceProfile": on(func(c *gateway.Call, in *iam.TagInstanceProfileRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"UntagInstanceProfile": on(func(c *gateway.Call, in *iam.UntagInstanceProfileRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"ListInstanceProfileTags": on(func(c *gateway.Call, in *iam.ListInstanceProfileTagsRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"RemoveRoleFromInstanceProfile": on(func(c *gateway.Call, in *iam.RemoveRoleFromInstanceProfileRequest) (string, keys) {
			return a.profileARN(c, *in.InstanceProfileName), nil
		}),
		"CreateInstanceProfile": on(func(c *gateway.Call, in *iam.CreateInstanceProfileRequest) (string, keys) {
			return newARN(c, "instance-profile", in.Path, *in.InstanceProfileName), nil
		}),
		"AddRoleToInstanceProfile": gateway.NeedsOf(a.addRoleNeeds),
	}
}

// policyNeeds are those about managed policies, and about what somebody may.
func (a *API) policyNeeds() map[string]gateway.Needs {
	return map[string]gateway.Needs{
		"GetPolicy":           on(func(c *gateway.Call, in *iam.GetPolicyRequest) (string, keys) { return *in.PolicyArn, nil }),
		"DeletePolicy":        on(func(c *gateway.Call, in *iam.DeletePolicyRequest) (string, keys) { return *in.PolicyArn, nil }),
		"CreatePolicyVersion": on(func(c *gateway.Call, in *iam.CreatePolicyVersionRequest) (string, keys) { return *in.PolicyArn, nil }),
		"GetPolicyVersion":    on(func(c *gateway.Call, in *iam.GetPolicyVersionRequest) (string, keys) { return *in.PolicyArn, nil }),
		"ListPolicyVersions":  on(func(c *gateway.Call, in *iam.ListPolicyVersionsRequest) (string, keys) { return *in.PolicyArn, nil }),
		"DeletePolicyVersion": on(func(c *gateway.Call, in *iam.DeletePolicyVersionRequest) (string, keys) { return *in.PolicyArn, nil }),
		"SetDefaultPolicyVersion": on(func(c *gateway.Call, in *iam.SetDefaultPolicyVersionRequest) (string, keys) {
			return *in.PolicyArn, nil
		}),
		"TagPolicy":             on(func(c *gateway.Call, in *iam.TagPolicyRequest) (string, keys) { return *in.PolicyArn, nil }),
		"UntagPolicy":           on(func(c *gateway.Call, in *iam.UntagPolicyRequest) (string, keys) { return *in.PolicyArn, nil }),
		"ListPolicyTags":        on(func(c *gateway.Call, in *iam.ListPolicyTagsRequest) (string, keys) { return *in.PolicyArn, nil }),
		"ListEntitiesForPolicy": on(func(c *gateway.Call, in *iam.ListEntitiesForPolicyRequest) (string, keys) { return *in.PolicyArn, nil }),
		"CreatePolicy": on(func(c *gateway.Call, in *iam.CreatePolicyRequest) (string, keys) {
			return newARN(c, "policy", in.Path, *in.PolicyName), nil
		}),
		"SimulatePrincipalPolicy": on(func(c *gateway.Call, in *iam.SimulatePrincipalPolicyRequest) (string, keys) {
			return *in.PolicySourceArn, nil
		}),
		"GetContextKeysForPrincipalPolicy": on(func(c *gateway.Call, in *iam.GetContextKeysForPrincipalPolicyRequest) (string, keys) {
			return *in.PolicySourceArn, nil
		}),
		"GenerateServiceLastAccessedDetails": on(func(c *gateway.Call, in *iam.GenerateServiceLastAccessedDetailsRequest) (string, keys) {
			return *in.Arn, nil
		}),
	}
}
