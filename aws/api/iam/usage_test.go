package iam_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/iam"
)

var later = time.Date(2099, 1, 2, 3, 4, 5, 0, time.UTC) // after anything that a test makes

// usage is what somebody recorded.
type usage struct{ keys, roles map[string]iam.LastUse }

func (u usage) KeyUsed(id string) (iam.LastUse, bool) {
	use, ok := u.keys[id]
	return use, ok
}

func (u usage) RoleUsed(arn string) (iam.LastUse, bool) {
	use, ok := u.roles[arn]
	return use, ok
}

func (u usage) Services(arn string) []iam.ServiceUse {
	use, ok := u.roles[arn]
	if !ok {
		return nil
	}
	return []iam.ServiceUse{{LastUse: use, Actions: map[string]iam.LastUse{"RunTask": use}}}
}

func TestWhatWasUsedLastIsShown(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/app"
	ecs := iam.LastUse{At: later, Service: "ecs", Region: "eu-central-1"}
	s := start(t, usage{keys: map[string]iam.LastUse{"AKIAIOSFODNN7EXAMPLE": ecs}, roles: map[string]iam.LastUse{role: ecs}})
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS)
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=p", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["ecs:RunTask","s3:Get*"],"Resource":"*"}}`)
	got := s.do("GetRole", "RoleName=app")
	s.expect("role", got.get("Role/RoleLastUsed/LastUsedDate")+got.get("Role/RoleLastUsed/Region"), "2099-01-02T03:04:05Zeu-central-1")
	key := s.do("GetAccessKeyLastUsed", "AccessKeyId=AKIAIOSFODNN7EXAMPLE")
	s.expect("key", key.get("AccessKeyLastUsed/ServiceName")+key.get("AccessKeyLastUsed/LastUsedDate"), "ecs2099-01-02T03:04:05Z")

	job := s.do("GenerateServiceLastAccessedDetails", "Arn="+role, "Granularity=ACTION_LEVEL").get("JobId")
	report := s.do("GetServiceLastAccessedDetails", "JobId="+job)
	s.expect("services", report.get("JobStatus")+report.texts("ServicesLastAccessed/member/ServiceNamespace")+report.texts("ServicesLastAccessed/member/TotalAuthenticatedEntities"), "COMPLETEDecs,s31,0")
	s.expect("action", report.texts("ServicesLastAccessed/member/TrackedActionsLastAccessed/member/ActionName"), "RunTask")
	s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess")
	job = s.do("GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::aws:policy/AdministratorAccess").get("JobId")
	report = s.do("GetServiceLastAccessedDetails", "JobId="+job)
	if all := report.texts("ServicesLastAccessed/member/ServiceName"); !strings.Contains(all, "Amazon Elastic Container Service") || !strings.Contains(all, "AWS Systems Manager") {
		t.Errorf("services %s", all)
	}
	s.refused("NoSuchEntity", "The role with name none cannot be found.", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::123456789012:role/none")
}

func TestNothingWasEverUsed(t *testing.T) {
	s := start(t, nil)
	key := s.do("GetAccessKeyLastUsed", "AccessKeyId="+s.Root.ID)
	s.expect("key", key.get("AccessKeyLastUsed/ServiceName")+key.get("AccessKeyLastUsed/Region")+key.get("AccessKeyLastUsed/LastUsedDate"), "N/AN/A-")
}

func TestWhatNobodyHasIsTold(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	for operation, list := range map[string]string{
		"ListMFADevices": "MFADevices", "ListSSHPublicKeys": "SSHPublicKeys", "ListSigningCertificates": "Certificates",
		"ListServiceSpecificCredentials": "ServiceSpecificCredentials", "ListVirtualMFADevices": "VirtualMFADevices",
		"ListServerCertificates": "ServerCertificateMetadataList", "ListOpenIDConnectProviders": "OpenIDConnectProviderList", "ListSAMLProviders": "SAMLProviderList",
	} {
		got := s.do(operation, "UserName=ada")
		if lists := got.all(list); len(lists) != 1 || len(lists[0].Children) != 0 {
			t.Errorf("%s: %+v", operation, got)
		}
	}
	s.refused("NoSuchEntity", "The user with name none cannot be found.", "ListMFADevices", "UserName=none")
	s.refused("NoSuchEntity", "MFA Device arn:aws:iam::1:mfa/x cannot be found.", "DeactivateMFADevice", "UserName=ada", "SerialNumber=arn:aws:iam::1:mfa/x")
	s.refused("NoSuchEntity", "The Server Certificate with name c cannot be found.", "DeleteServerCertificate", "ServerCertificateName=c")
	s.refused("InvalidAction", "berth does not support CreateOpenIDConnectProvider of iam yet.", "CreateOpenIDConnectProvider", "Url=https://x")
}
