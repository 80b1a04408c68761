package iam_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/store"
)

const own = "arn:aws:iam::123456789012:policy/read"

func TestPoliciesHaveVersions(t *testing.T) {
	s := start(t, nil)
	made := s.do("CreatePolicy", "PolicyName=read", "PolicyDocument="+readS3, "Description=reads", "Tags.member.1.Key=k", "Tags.member.1.Value=v")
	s.expect("made", made.get("Policy/Arn")+made.get("Policy/DefaultVersionId")+made.get("Policy/AttachmentCount")+made.get("Policy/IsAttachable"), own+"v10true")
	got := s.do("GetPolicy", "PolicyArn="+own)
	s.expect("got", got.get("Policy/Description")+got.get("Policy/Tags/member/Key")+got.get("Policy/Path"), "readsk/")
	s.refused("EntityAlreadyExists", "A policy called READ already exists. Duplicate names are not allowed.", "CreatePolicy", "PolicyName=READ", "Path=/x/", "PolicyDocument="+readS3)
	for n := range 4 {
		s.expect("version", s.do("CreatePolicyVersion", "PolicyArn="+own, "PolicyDocument="+readS3).get("PolicyVersion/VersionId"), fmt.Sprintf("v%d", n+2))
	}
	s.refused("LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.", "CreatePolicyVersion", "PolicyArn="+own, "PolicyDocument="+readS3)
	s.do("DeletePolicyVersion", "PolicyArn="+own, "VersionId=v5")
	next := strings.Replace(readS3, "GetObject", "PutObject", 1)
	s.expect("ids are not used again", s.do("CreatePolicyVersion", "PolicyArn="+own, "PolicyDocument="+next, "SetAsDefault=true").get("PolicyVersion/VersionId"), "v6")
	version := s.do("GetPolicyVersion", "PolicyArn="+own, "VersionId=v6")
	document, _ := url.PathUnescape(version.get("PolicyVersion/Document"))
	s.expect("document", document+version.get("PolicyVersion/IsDefaultVersion"), next+"true")
	s.expect("newest first", s.do("ListPolicyVersions", "PolicyArn="+own).texts("Versions/member/VersionId"), "v6,v4,v3,v2,v1")
	s.refused("DeleteConflict", "Cannot delete the default version of a policy.", "DeletePolicyVersion", "PolicyArn="+own, "VersionId=v6")
	s.refused("NoSuchEntity", "Policy "+own+" version v9 does not exist or is not attachable.", "SetDefaultPolicyVersion", "PolicyArn="+own, "VersionId=v9")
	s.do("SetDefaultPolicyVersion", "PolicyArn="+own, "VersionId=v2")
	s.refused("DeleteConflict", "This policy has more than one version.", "DeletePolicy", "PolicyArn="+own)
	for _, id := range []string{"v1", "v3", "v4", "v6"} {
		s.do("DeletePolicyVersion", "PolicyArn="+own, "VersionId="+id)
	}
	s.do("DeletePolicy", "PolicyArn="+own)
	s.refused("NoSuchEntity", "Policy "+own+" was not found.", "GetPolicy", "PolicyArn="+own)
}

func TestPoliciesAreAttached(t *testing.T) {
	s := start(t, nil)
	s.do("CreatePolicy", "PolicyName=read", "PolicyDocument="+readS3)
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS, "PermissionsBoundary="+own)
	s.do("CreateUser", "UserName=ada")
	s.do("CreateGroup", "GroupName=devs")
	for _, parameters := range [][]string{{"AttachRolePolicy", "RoleName=app"}, {"AttachUserPolicy", "UserName=ada"}, {"AttachGroupPolicy", "GroupName=devs"}, {"AttachRolePolicy", "RoleName=app"}} {
		s.do(parameters[0], parameters[1], "PolicyArn="+own)
	}
	got := s.do("GetPolicy", "PolicyArn="+own)
	s.expect("counts", got.get("Policy/AttachmentCount")+got.get("Policy/PermissionsBoundaryUsageCount"), "31")
	s.expect("boundary", s.do("GetRole", "RoleName=app").get("Role/PermissionsBoundary/PermissionsBoundaryArn"), own)
	entities := s.do("ListEntitiesForPolicy", "PolicyArn="+own)
	s.expect("entities", entities.texts("PolicyRoles/member/RoleName")+entities.texts("PolicyUsers/member/UserName")+entities.texts("PolicyGroups/member/GroupName"), "appadadevs")
	entities = s.do("ListEntitiesForPolicy", "PolicyArn="+own, "EntityFilter=Role", "PolicyUsageFilter=PermissionsBoundary")
	s.expect("bounded", entities.texts("PolicyRoles/member/RoleName")+entities.texts("PolicyUsers/member/UserName"), "app")
	s.refused("DeleteConflict", "Cannot delete a policy attached to entities.", "DeletePolicy", "PolicyArn="+own)

	s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
	s.expect("in order of name", s.do("ListAttachedRolePolicies", "RoleName=app").texts("AttachedPolicies/member/PolicyName"), "AmazonECSTaskExecutionRolePolicy,read")
	s.expect("by path", s.do("ListAttachedRolePolicies", "RoleName=app", "PathPrefix=/service-role/").texts("AttachedPolicies/member/PolicyName"), "AmazonECSTaskExecutionRolePolicy")
	s.refused("NoSuchEntity", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.", "AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/None")
	s.refused("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.", "AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy")
	s.do("DetachRolePolicy", "RoleName=app", "PolicyArn="+own)
	s.refused("NoSuchEntity", "Policy "+own+" was not found.", "DetachRolePolicy", "RoleName=app", "PolicyArn="+own)
	s.do("DeleteRolePermissionsBoundary", "RoleName=app")
	s.expect("boundary", s.do("GetRole", "RoleName=app").get("Role/PermissionsBoundary/PermissionsBoundaryArn"), "-")
	for n := range 9 {
		name := fmt.Sprintf("p%d", n)
		s.do("CreatePolicy", "PolicyName="+name, "PolicyDocument="+readS3)
		s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::123456789012:policy/"+name)
	}
	s.refused("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", "AttachRolePolicy", "RoleName=app", "PolicyArn="+own)
}

func TestInlinePoliciesHaveASize(t *testing.T) {
	s := start(t, nil)
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS)
	s.do("CreateUser", "UserName=ada")
	s.do("CreateGroup", "GroupName=devs")
	long := func(n int) string {
		return "PolicyDocument=" + strings.Replace(readS3, "b/*", strings.Repeat("b", n), 1)
	}
	wide := "PolicyDocument=" + strings.ReplaceAll(readS3, ",", ","+strings.Repeat(" ", 11000))
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=white", wide)
	s.do("DeleteRolePolicy", "RoleName=app", "PolicyName=white")
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=b", long(6000))
	s.refused("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role app", "PutRolePolicy", "RoleName=app", "PolicyName=a", long(6000))
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=b", long(7000)) // in place of the one before
	s.refused("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user ada", "PutUserPolicy", "UserName=ada", "PolicyName=a", long(2048))
	s.refused("LimitExceeded", "Maximum policy size of 5120 bytes exceeded for group devs", "PutGroupPolicy", "GroupName=devs", "PolicyName=a", long(5120))
	s.refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", "CreatePolicy", "PolicyName=big", long(6144))
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=a", "PolicyDocument="+readS3)
	s.expect("names", s.do("ListRolePolicies", "RoleName=app").texts("PolicyNames/member"), "a,b")
	document, _ := url.PathUnescape(s.do("GetRolePolicy", "RoleName=app", "PolicyName=a").get("PolicyDocument"))
	s.expect("document", document, readS3)
	s.refused("NoSuchEntity", "The role policy with name none cannot be found.", "GetRolePolicy", "RoleName=app", "PolicyName=none")
	s.refused("NoSuchEntity", "The user policy with name none cannot be found.", "DeleteUserPolicy", "UserName=ada", "PolicyName=none")
	s.refused("NoSuchEntity", "The group policy with name none cannot be found.", "GetGroupPolicy", "GroupName=devs", "PolicyName=none")
	s.refused("MalformedPolicyDocument", "Syntax errors in policy.", "PutRolePolicy", "RoleName=app", "PolicyName=c", `PolicyDocument={"Version":"2012-10-17"}`)
	s.refused("MalformedPolicyDocument", "Policy document should not specify a principal.", "PutRolePolicy", "RoleName=app", "PolicyName=c", "PolicyDocument="+strings.Replace(readS3, `"Effect"`, `"Principal":"*","Effect"`, 1))
}

func TestAWSsPoliciesAreThereAndStay(t *testing.T) {
	s := start(t, nil)
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	got := s.do("GetPolicy", "PolicyArn="+admin)
	s.expect("id", got.get("Policy/PolicyId")[:4]+got.get("Policy/DefaultVersionId"), "ANPAv1")
	for _, operation := range []string{"DeletePolicy", "CreatePolicyVersion", "TagPolicy", "SetDefaultPolicyVersion"} {
		s.refused("UnmodifiableEntity", "Cannot perform the operation on the AWS managed policy "+admin, operation, "PolicyArn="+admin, "PolicyDocument="+readS3, "Tags.member.1.Key=k", "Tags.member.1.Value=v", "VersionId=v1")
	}
	s.do("CreatePolicy", "PolicyName=read", "PolicyDocument="+readS3)
	s.expect("own", s.do("ListPolicies", "Scope=Local").texts("Policies/member/Arn"), own)
	aws := s.do("ListPolicies", "Scope=AWS", "MaxItems=1000").texts("Policies/member/Arn")
	if !strings.Contains(aws, admin) || strings.Contains(aws, own) {
		t.Errorf("AWS's: %s", aws)
	}
	s.do("CreateUser", "UserName=ada")
	s.do("AttachUserPolicy", "UserName=ada", "PolicyArn="+admin)
	s.expect("attached", s.do("ListPolicies", "OnlyAttached=true").texts("Policies/member/PolicyName"), "AdministratorAccess")
	details := s.do("GetAccountAuthorizationDetails", "Filter.member.1=AWSManagedPolicy", "Filter.member.2=User")
	s.expect("details", details.texts("Policies/member/PolicyName")+details.texts("UserDetailList/member/AttachedManagedPolicies/member/PolicyName")+details.texts("RoleDetailList/member"), "AdministratorAccessAdministratorAccess")
}

func TestAWSsPoliciesAreRenewed(t *testing.T) {
	s := start(t, nil)
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	before := s.Store.View().Revision()
	if err := iam.EnsureManagedPolicies(t.Context(), s.Store, time.Now()); err != nil || s.Store.View().Revision() != before {
		t.Errorf("what did not change was written again: %v", err)
	}
	s.Put(t, func(tx *store.Tx) {
		have, _ := store.ManagedPolicies.Get(tx, admin)
		old := *have
		old.Versions = append(old.Versions[:0:0], old.Versions...)
		old.Versions[0].Document = `{"an":"older text"}`
		store.ManagedPolicies.Put(tx, &old)
	})
	if err := iam.EnsureManagedPolicies(t.Context(), s.Store, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.expect("version", s.do("GetPolicy", "PolicyArn="+admin).get("Policy/DefaultVersionId"), "v2")
	document, _ := url.PathUnescape(s.do("GetPolicyVersion", "PolicyArn="+admin, "VersionId=v2").get("PolicyVersion/Document"))
	if !strings.Contains(document, `"Action": "*"`) {
		t.Errorf("document %s", document)
	}
}

func TestTheAccountIsSummedUp(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("CreatePolicy", "PolicyName=read", "PolicyDocument="+readS3)
	got := map[string]string{}
	for _, e := range s.do("GetAccountSummary").all("SummaryMap/entry") {
		got[e.get("key")] = e.get("value")
	}
	for key, want := range map[string]string{"Users": "1", "Policies": "1", "Roles": "0", "RolesQuota": "1000", "AccountAccessKeysPresent": "1", "MFADevices": "0"} {
		s.expect(key, got[key], want)
	}
}
