package iam_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestARoleAnswersAsItWasMade(t *testing.T) {
	s := start(t, nil)
	made := s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS, "Description=runs it", "Tags.member.1.Key=b", "Tags.member.1.Value=2", "Tags.member.2.Key=a", "Tags.member.2.Value=1")
	s.expect("arn", made.get("Role/Arn"), "arn:aws:iam::123456789012:role/app")
	if id := made.get("Role/RoleId"); !regexp.MustCompile(`^AROA[A-Z2-7]{17}$`).MatchString(id) {
		t.Errorf("id %s", id)
	}
	got := s.do("GetRole", "RoleName=app")
	document, err := url.PathUnescape(got.get("Role/AssumeRolePolicyDocument"))
	if err != nil || document != trustECS || strings.ContainsAny(got.get("Role/AssumeRolePolicyDocument"), `{"+ `) {
		t.Errorf("document %q, %v", got.get("Role/AssumeRolePolicyDocument"), err)
	}
	s.expect("session", got.get("Role/MaxSessionDuration"), "3600")
	s.expect("path", got.get("Role/Path"), "/")
	s.expect("description", got.get("Role/Description"), "runs it")
	s.expect("tags keep their order", got.texts("Role/Tags/member/Key"), "b,a")
	s.expect("never used", fmt.Sprint(len(got.all("Role/RoleLastUsed")), len(got.all("Role/RoleLastUsed/LastUsedDate"))), "1 0")
	s.expect("date", fmt.Sprint(regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(got.get("Role/CreateDate"))), "true")

	s.do("UpdateRole", "RoleName=app", "MaxSessionDuration=7200")
	s.do("UpdateRoleDescription", "RoleName=app", "Description=other")
	s.do("TagRole", "RoleName=app", "Tags.member.1.Key=B", "Tags.member.1.Value=3", "Tags.member.2.Key=c", "Tags.member.2.Value=")
	got = s.do("GetRole", "RoleName=APP")
	s.expect("updated", got.get("Role/MaxSessionDuration")+got.get("Role/Description")+got.texts("Role/Tags/member/Key"), "7200otherB,a,c")
	s.do("UntagRole", "RoleName=app", "TagKeys.member.1=A")
	s.expect("tags", s.do("ListRoleTags", "RoleName=app").texts("Tags/member/Key"), "B,c")
	page := s.do("ListRoleTags", "RoleName=app", "MaxItems=1")
	s.expect("page", page.texts("Tags/member/Key")+page.get("IsTruncated"), "Btrue")
	s.expect("next", s.do("ListRoleTags", "RoleName=app", "Marker="+page.get("Marker")).texts("Tags/member/Key"), "c")
}

func TestRolesAreRefusedInAWSsWords(t *testing.T) {
	s := start(t, nil)
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS)
	s.refused("EntityAlreadyExists", "Role with name App already exists.", "CreateRole", "RoleName=App", "AssumeRolePolicyDocument="+trustECS)
	s.refused("NoSuchEntity", "The role with name none cannot be found.", "GetRole", "RoleName=none")
	s.refused("MalformedPolicyDocument", "", "CreateRole", "RoleName=b", "AssumeRolePolicyDocument={")
	s.refused("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/none"`, "CreateRole", "RoleName=b",
		"AssumeRolePolicyDocument="+strings.Replace(trustECS, `"Service":"ecs-tasks.amazonaws.com"`, `"AWS":"arn:aws:iam::123456789012:role/none"`, 1))
	s.refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", "CreateRole", "RoleName=b", "AssumeRolePolicyDocument="+strings.Replace(trustECS, "ecs-tasks", strings.Repeat("x", 2048), 1))
	s.refused("ValidationError", "1 validation error detected: Value 'a/b' at 'roleName' failed to satisfy constraint", "CreateRole", "RoleName=a/b", "AssumeRolePolicyDocument="+trustECS)
	s.refused("ValidationError", "1 validation error detected", "CreateRole", "RoleName="+strings.Repeat("r", 65), "AssumeRolePolicyDocument="+trustECS)
	s.refused("ValidationError", "1 validation error detected", "CreateRole", "RoleName=b", "MaxSessionDuration=3599", "AssumeRolePolicyDocument="+trustECS)
	s.refused("NoSuchEntity", "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.", "CreateRole", "RoleName=b", "AssumeRolePolicyDocument="+trustECS, "PermissionsBoundary=arn:aws:iam::aws:policy/None")
	s.refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", "TagRole", "RoleName=app", "Tags.member.1.Key=a", "Tags.member.1.Value=1", "Tags.member.2.Key=A", "Tags.member.2.Value=2")
	s.refused("InvalidInput", "Caller is an end user and not allowed to mutate system tags", "TagRole", "RoleName=app", "Tags.member.1.Key=aws:x", "Tags.member.1.Value=1")
	var tags []string
	for n := range 50 {
		tags = append(tags, fmt.Sprintf("Tags.member.%d.Key=k%d", n+1, n), fmt.Sprintf("Tags.member.%d.Value=v", n+1))
	}
	s.do("TagRole", append(tags, "RoleName=app")...)
	s.refused("LimitExceeded", "The number of tags has reached the maximum limit.", "TagRole", "RoleName=app", "Tags.member.1.Key=one more", "Tags.member.1.Value=")
}

func TestRolesAreDeletedLast(t *testing.T) {
	s := start(t, nil)
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS)
	s.do("CreateInstanceProfile", "InstanceProfileName=p", "Tags.member.1.Key=k", "Tags.member.1.Value=v")
	s.do("AddRoleToInstanceProfile", "InstanceProfileName=p", "RoleName=app")
	s.refused("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", "AddRoleToInstanceProfile", "InstanceProfileName=p", "RoleName=app")
	s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
	s.do("PutRolePolicy", "RoleName=app", "PolicyName=in", "PolicyDocument="+readS3)
	got := s.do("GetInstanceProfile", "InstanceProfileName=p")
	s.expect("profile", got.get("InstanceProfile/Roles/member/RoleName")+got.get("InstanceProfile/Tags/member/Key"), "appk")
	if id := got.get("InstanceProfile/InstanceProfileId"); !strings.HasPrefix(id, "AIPA") || len(id) != 21 {
		t.Errorf("id %s", id)
	}
	s.expect("profiles", s.do("ListInstanceProfilesForRole", "RoleName=app").texts("InstanceProfiles/member/InstanceProfileName"), "p")

	s.refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", "DeleteRole", "RoleName=app")
	s.refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", "DeleteInstanceProfile", "InstanceProfileName=p")
	s.do("RemoveRoleFromInstanceProfile", "InstanceProfileName=p", "RoleName=app")
	s.refused("NoSuchEntity", "The role with name app cannot be found.", "RemoveRoleFromInstanceProfile", "InstanceProfileName=p", "RoleName=app")
	s.refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", "DeleteRole", "RoleName=app")
	s.do("DetachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
	s.refused("DeleteConflict", "Cannot delete entity, must delete policies first.", "DeleteRole", "RoleName=app")
	s.do("DeleteRolePolicy", "RoleName=app", "PolicyName=in")
	first := s.do("GetRole", "RoleName=app").get("Role/RoleId")
	s.do("DeleteRole", "RoleName=app")
	s.refused("NoSuchEntity", "The role with name app cannot be found.", "DeleteRole", "RoleName=app")
	if again := s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustECS).get("Role/RoleId"); again == first {
		t.Error("a role that was made again has the id of the one before")
	}
	s.do("DeleteInstanceProfile", "InstanceProfileName=p")
	s.refused("NoSuchEntity", "Instance Profile p cannot be found.", "GetInstanceProfile", "InstanceProfileName=p")
}

func TestRolesArePagedByName(t *testing.T) {
	s := start(t, nil)
	for _, name := range []string{"d", "B", "a", "c"} {
		s.do("CreateRole", "RoleName="+name, "Path=/"+strings.ToLower(name)+"/", "AssumeRolePolicyDocument="+trustECS)
	}
	var all []string
	marker := ""
	for range 5 {
		parameters := []string{"MaxItems=1"}
		if marker != "" {
			parameters = append(parameters, "Marker="+marker)
		}
		page := s.do("ListRoles", parameters...)
		all = append(all, page.texts("Roles/member/RoleName"))
		if marker = page.get("Marker"); page.get("IsTruncated") == "false" {
			break
		}
	}
	s.expect("names", strings.Join(all, ","), "a,B,c,d")
	s.expect("under a path", s.do("ListRoles", "PathPrefix=/b/").texts("Roles/member/Arn"), "arn:aws:iam::123456789012:role/b/B")
	s.refused("ValidationError", "Invalid Marker.", "ListRoles", "Marker=%%%")
}
