package iam

import (
	"context"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// Operations are the handlers by operation name. What is not here is not supported,
// and the gateway says so: making what would have no effect, such as identity
// providers and certificates.
func (a *API) Operations() map[string]gateway.Handler {
	all := a.operations()
	for name, handler := range all {
		all[name] = refusingSessions(handler)
	}
	return all
}

// refusingSessions keeps those out who have a session of a user, or of the root,
// without MFA: they may call all services but this one.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func refusingSessions(next gateway.Handler) gateway.Handler {
	return func(ctx context.Context, call *gateway.Call, in any) (any, error) {
		if call.Session && call.Principal.Kind != identity.AssumedRole {
			return nil, fault.New(fault.UnrecognizedClient, "The security token included in the request is invalid").
				WithHint("sessions of users cannot call IAM: use the user's own keys, or assume a role")
		}
		return next(ctx, call, in)
	}
}

func (a *API) operations() map[string]gateway.Handler {
	return map[string]gateway.Handler{
		"AddRoleToInstanceProfile":           gateway.Handle(a.addRoleToInstanceProfile),
		"AddUserToGroup":                     gateway.Handle(a.addUserToGroup),
		"AttachGroupPolicy":                  gateway.Handle(a.attachGroupPolicy),
		"AttachRolePolicy":                   gateway.Handle(a.attachRolePolicy),
		"AttachUserPolicy":                   gateway.Handle(a.attachUserPolicy),
		"ChangePassword":                     gateway.Handle(a.changePassword),
		"CreateAccessKey":                    gateway.Handle(a.createAccessKey),
		"CreateAccountAlias":                 gateway.Handle(a.createAccountAlias),
		"CreateGroup":                        gateway.Handle(a.createGroup),
		"CreateInstanceProfile":              gateway.Handle(a.createInstanceProfile),
		"CreateLoginProfile":                 gateway.Handle(a.createLoginProfile),
		"CreatePolicy":                       gateway.Handle(a.createPolicy),
		"CreatePolicyVersion":                gateway.Handle(a.createPolicyVersion),
		"CreateRole":                         gateway.Handle(a.createRole),
		"CreateServiceLinkedRole":            gateway.Handle(a.createServiceLinkedRole),
		"CreateUser":                         gateway.Handle(a.createUser),
		"DeactivateMFADevice":                gateway.Handle(a.deactivateMFADevice),
		"DeleteAccessKey":                    gateway.Handle(a.deleteAccessKey),
		"DeleteAccountAlias":                 gateway.Handle(a.deleteAccountAlias),
		"DeleteAccountPasswordPolicy":        gateway.Handle(a.deleteAccountPasswordPolicy),
		"DeleteGroup":                        gateway.Handle(a.deleteGroup),
		"DeleteGroupPolicy":                  gateway.Handle(a.deleteGroupPolicy),
		"DeleteInstanceProfile":              gateway.Handle(a.deleteInstanceProfile),
		"DeleteLoginProfile":                 gateway.Handle(a.deleteLoginProfile),
		"DeleteOpenIDConnectProvider":        gateway.Handle(a.deleteOpenIDConnectProvider),
		"DeletePolicy":                       gateway.Handle(a.deletePolicy),
		"DeletePolicyVersion":                gateway.Handle(a.deletePolicyVersion),
		"DeleteRole":                         gateway.Handle(a.deleteRole),
		"DeleteRolePermissionsBoundary":      gateway.Handle(a.deleteRolePermissionsBoundary),
		"DeleteRolePolicy":                   gateway.Handle(a.deleteRolePolicy),
		"DeleteSSHPublicKey":                 gateway.Handle(a.deleteSSHPublicKey),
		"DeleteServerCertificate":            gateway.Handle(a.deleteServerCertificate),
		"DeleteServiceLinkedRole":            gateway.Handle(a.deleteServiceLinkedRole),
		"DeleteServiceSpecificCredential":    gateway.Handle(a.deleteServiceSpecificCredential),
		"DeleteSigningCertificate":           gateway.Handle(a.deleteSigningCertificate),
		"DeleteUser":                         gateway.Handle(a.deleteUser),
		"DeleteUserPermissionsBoundary":      gateway.Handle(a.deleteUserPermissionsBoundary),
		"DeleteUserPolicy":                   gateway.Handle(a.deleteUserPolicy),
		"DeleteVirtualMFADevice":             gateway.Handle(a.deleteVirtualMFADevice),
		"DetachGroupPolicy":                  gateway.Handle(a.detachGroupPolicy),
		"DetachRolePolicy":                   gateway.Handle(a.detachRolePolicy),
		"DetachUserPolicy":                   gateway.Handle(a.detachUserPolicy),
		"GenerateServiceLastAccessedDetails": gateway.Handle(a.generateServiceLastAccessedDetails),
		"GetAccessKeyLastUsed":               gateway.Handle(a.getAccessKeyLastUsed),
		"GetAccountAuthorizationDetails":     gateway.Handle(a.getAccountAuthorizationDetails),
		"GetAccountPasswordPolicy":           gateway.Handle(a.getAccountPasswordPolicy),
		"GetAccountSummary":                  gateway.Handle(a.getAccountSummary),
		"GetContextKeysForCustomPolicy":      gateway.Handle(a.getContextKeysForCustomPolicy),
		"GetContextKeysForPrincipalPolicy":   gateway.Handle(a.getContextKeysForPrincipalPolicy),
		"GetGroup":                           gateway.Handle(a.getGroup),
		"GetGroupPolicy":                     gateway.Handle(a.getGroupPolicy),
		"GetInstanceProfile":                 gateway.Handle(a.getInstanceProfile),
		"GetLoginProfile":                    gateway.Handle(a.getLoginProfile),
		"GetOpenIDConnectProvider":           gateway.Handle(a.getOpenIDConnectProvider),
		"GetPolicy":                          gateway.Handle(a.getPolicy),
		"GetPolicyVersion":                   gateway.Handle(a.getPolicyVersion),
		"GetRole":                            gateway.Handle(a.getRole),
		"GetRolePolicy":                      gateway.Handle(a.getRolePolicy),
		"GetServerCertificate":               gateway.Handle(a.getServerCertificate),
		"GetServiceLastAccessedDetails":      gateway.Handle(a.getServiceLastAccessedDetails),
		"GetServiceLinkedRoleDeletionStatus": gateway.Handle(a.getServiceLinkedRoleDeletionStatus),
		"GetUser":                            gateway.Handle(a.getUser),
		"GetUserPolicy":                      gateway.Handle(a.getUserPolicy),
		"ListAccessKeys":                     gateway.Handle(a.listAccessKeys),
		"ListAccountAliases":                 gateway.Handle(a.listAccountAliases),
		"ListAttachedGroupPolicies":          gateway.Handle(a.listAttachedGroupPolicies),
		"ListAttachedRolePolicies":           gateway.Handle(a.listAttachedRolePolicies),
		"ListAttachedUserPolicies":           gateway.Handle(a.listAttachedUserPolicies),
		"ListEntitiesForPolicy":              gateway.Handle(a.listEntitiesForPolicy),
		"ListGroupPolicies":                  gateway.Handle(a.listGroupPolicies),
		"ListGroups":                         gateway.Handle(a.listGroups),
		"ListGroupsForUser":                  gateway.Handle(a.listGroupsForUser),
		"ListInstanceProfileTags":            gateway.Handle(a.listInstanceProfileTags),
		"ListInstanceProfiles":               gateway.Handle(a.listInstanceProfiles),
		"ListInstanceProfilesForRole":        gateway.Handle(a.listInstanceProfilesForRole),
		"ListMFADevices":                     gateway.Handle(a.listMFADevices),
		"ListOpenIDConnectProviders":         gateway.Handle(a.listOpenIDConnectProviders),
		"ListPolicies":                       gateway.Handle(a.listPolicies),
		"ListPolicyTags":                     gateway.Handle(a.listPolicyTags),
		"ListPolicyVersions":                 gateway.Handle(a.listPolicyVersions),
		"ListRolePolicies":                   gateway.Handle(a.listRolePolicies),
		"ListRoleTags":                       gateway.Handle(a.listRoleTags),
		"ListRoles":                          gateway.Handle(a.listRoles),
		"ListSAMLProviders":                  gateway.Handle(a.listSAMLProviders),
		"ListSSHPublicKeys":                  gateway.Handle(a.listSSHPublicKeys),
		"ListServerCertificates":             gateway.Handle(a.listServerCertificates),
		"ListServiceSpecificCredentials":     gateway.Handle(a.listServiceSpecificCredentials),
		"ListSigningCertificates":            gateway.Handle(a.listSigningCertificates),
		"ListUserPolicies":                   gateway.Handle(a.listUserPolicies),
		"ListUserTags":                       gateway.Handle(a.listUserTags),
		"ListUsers":                          gateway.Handle(a.listUsers),
		"ListVirtualMFADevices":              gateway.Handle(a.listVirtualMFADevices),
		"PutGroupPolicy":                     gateway.Handle(a.putGroupPolicy),
		"PutRolePermissionsBoundary":         gateway.Handle(a.putRolePermissionsBoundary),
		"PutRolePolicy":                      gateway.Handle(a.putRolePolicy),
		"PutUserPermissionsBoundary":         gateway.Handle(a.putUserPermissionsBoundary),
		"PutUserPolicy":                      gateway.Handle(a.putUserPolicy),
		"RemoveRoleFromInstanceProfile":      gateway.Handle(a.removeRoleFromInstanceProfile),
		"RemoveUserFromGroup":                gateway.Handle(a.removeUserFromGroup),
		"SetDefaultPolicyVersion":            gateway.Handle(a.setDefaultPolicyVersion),
		"SimulateCustomPolicy":               gateway.Handle(a.simulateCustomPolicy),
		"SimulatePrincipalPolicy":            gateway.Handle(a.simulatePrincipalPolicy),
		"TagInstanceProfile":                 gateway.Handle(a.tagInstanceProfile),
		"TagPolicy":                          gateway.Handle(a.tagPolicy),
		"TagRole":                            gateway.Handle(a.tagRole),
		"TagUser":                            gateway.Handle(a.tagUser),
		"UntagInstanceProfile":               gateway.Handle(a.untagInstanceProfile),
		"UntagPolicy":                        gateway.Handle(a.untagPolicy),
		"UntagRole":                          gateway.Handle(a.untagRole),
		"UntagUser":                          gateway.Handle(a.untagUser),
		"UpdateAccessKey":                    gateway.Handle(a.updateAccessKey),
		"UpdateAccountPasswordPolicy":        gateway.Handle(a.updateAccountPasswordPolicy),
		"UpdateAssumeRolePolicy":             gateway.Handle(a.updateAssumeRolePolicy),
		"UpdateGroup":                        gateway.Handle(a.updateGroup),
		"UpdateLoginProfile":                 gateway.Handle(a.updateLoginProfile),
		"UpdateRole":                         gateway.Handle(a.updateRole),
		"UpdateRoleDescription":              gateway.Handle(a.updateRoleDescription),
		"UpdateUser":                         gateway.Handle(a.updateUser),
	}
}
