package iam_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store"
)

func TestAUsersKeysProveTheUser(t *testing.T) {
	s := start(t, nil)
	made := s.do("CreateUser", "UserName=ada", "Path=/team/")
	if id := made.get("User/UserId"); !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(id) {
		t.Errorf("id %s", id)
	}
	key := s.keyOf("ada")
	ada := s.as(key)
	who := ada.do("GetCallerIdentity")
	s.expect("who", who.get("Arn")+who.get("UserId"), "arn:aws:iam::123456789012:user/team/ada"+made.get("User/UserId"))

	second := s.keyOf("ada")
	s.refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", "CreateAccessKey", "UserName=ada")
	s.expect("keys", s.do("ListAccessKeys", "UserName=ada").texts("AccessKeyMetadata/member/Status"), "Active,Active")
	s.do("UpdateAccessKey", "UserName=ada", "AccessKeyId="+key.ID, "Status=Inactive")
	ada.refused("InvalidClientTokenId", "", "GetCallerIdentity")
	s.do("UpdateAccessKey", "UserName=ada", "AccessKeyId="+key.ID, "Status=Active")
	ada.do("GetCallerIdentity")
	s.do("DeleteAccessKey", "UserName=ada", "AccessKeyId="+key.ID)
	ada.refused("InvalidClientTokenId", "", "GetCallerIdentity")
	s.refused("NoSuchEntity", "The Access Key with id "+key.ID+" cannot be found.", "DeleteAccessKey", "UserName=ada", "AccessKeyId="+key.ID)

	s.do("UpdateUser", "UserName=ada", "NewUserName=grace", "NewPath=/")
	s.expect("renamed", s.as(second).do("GetCallerIdentity").get("Arn"), "arn:aws:iam::123456789012:user/grace")
	s.refused("NoSuchEntity", "The user with name ada cannot be found.", "GetUser", "UserName=ada")
	s.do("CreateUser", "UserName=ada")
	s.refused("EntityAlreadyExists", "User with name ADA already exists.", "UpdateUser", "UserName=grace", "NewUserName=ADA")
}

func TestAUserOfThisNameIsTheCaller(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("PutUserPolicy", "UserName=ada", "PolicyName=all", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::123456789012:user/${aws:username}"}}`)
	ada := s.as(s.keyOf("ada"))
	s.expect("me", ada.do("GetUser").get("User/UserName"), "ada")
	own := ada.do("CreateAccessKey")
	s.expect("my key", own.get("AccessKey/UserName"), "ada")
	s.expect("my keys", ada.do("ListAccessKeys").texts("AccessKeyMetadata/member/UserName"), "ada,ada")
	ada.refused("AccessDenied", "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:GetUser on resource: arn:aws:iam::123456789012:user/root", "GetUser", "UserName=root")

	root := s.do("GetUser")
	s.expect("root", root.get("User/Arn")+root.get("User/UserName"), "arn:aws:iam::123456789012:root-")
	s.expect("root's keys", s.do("ListAccessKeys").texts("AccessKeyMetadata/member/AccessKeyId"), s.Root.ID)
	role := s.as(s.Role(t, "worker", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	role.refused("ValidationError", "Must specify userName when calling with non-User credentials", "GetUser")
}

func TestUsersAreDeletedLast(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("CreateGroup", "GroupName=devs")
	s.do("AddUserToGroup", "GroupName=devs", "UserName=ada")
	s.do("AddUserToGroup", "GroupName=devs", "UserName=ada")
	key := s.keyOf("ada")
	temporary := session(s.as(key).do("GetSessionToken"))
	s.do("CreateLoginProfile", "UserName=ada", "Password=correct horse")
	s.do("AttachUserPolicy", "UserName=ada", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")

	s.refused("DeleteConflict", "Cannot delete entity, must delete login profile first.", "DeleteUser", "UserName=ada")
	s.do("DeleteLoginProfile", "UserName=ada")
	s.refused("DeleteConflict", "Cannot delete entity, must delete access keys first.", "DeleteUser", "UserName=ada")
	s.do("DeleteAccessKey", "UserName=ada", "AccessKeyId="+key.ID)
	s.refused("DeleteConflict", "Cannot delete entity, must remove users from group first.", "DeleteUser", "UserName=ada")
	s.refused("DeleteConflict", "Cannot delete entity, must remove users from group first.", "DeleteGroup", "GroupName=devs")
	s.do("RemoveUserFromGroup", "GroupName=devs", "UserName=ada")
	s.refused("DeleteConflict", "Cannot delete entity, must detach all policies first.", "DeleteUser", "UserName=ada")
	s.do("DetachUserPolicy", "UserName=ada", "PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
	s.as(temporary).do("GetCallerIdentity")
	s.do("DeleteUser", "UserName=ada")
	s.as(temporary).refused("InvalidClientTokenId", "", "GetCallerIdentity")
	s.do("DeleteGroup", "GroupName=devs")
}

func TestGroupsKeepTheirMembersUnderAnotherName(t *testing.T) {
	s := start(t, nil)
	s.do("CreateGroup", "GroupName=devs")
	s.refused("EntityAlreadyExists", "Group with name Devs already exists.", "CreateGroup", "GroupName=Devs")
	for _, name := range []string{"b", "a"} {
		s.do("CreateUser", "UserName="+name)
		s.do("AddUserToGroup", "GroupName=devs", "UserName="+name)
	}
	s.do("AttachGroupPolicy", "GroupName=devs", "PolicyArn=arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	s.do("UpdateGroup", "GroupName=devs", "NewGroupName=ops")
	s.expect("members", s.do("GetGroup", "GroupName=ops").texts("Users/member/UserName"), "a,b")
	s.expect("groups", s.do("ListGroupsForUser", "UserName=a").texts("Groups/member/Arn"), "arn:aws:iam::123456789012:group/ops")
	s.as(s.keyOf("a")).do("ListUsers") // by the group's policy
	s.refused("NoSuchEntity", "The group with name devs cannot be found.", "GetGroup", "GroupName=devs")
	s.refused("NoSuchEntity", "The user with name none cannot be found.", "AddUserToGroup", "GroupName=ops", "UserName=none")
	for n := range 9 {
		group := string(rune('p' + n))
		s.do("CreateGroup", "GroupName="+group)
		s.do("AddUserToGroup", "GroupName="+group, "UserName=a")
	}
	s.do("CreateGroup", "GroupName=z")
	s.refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", "AddUserToGroup", "GroupName=z", "UserName=a")
}

func TestPasswordsFollowThePolicy(t *testing.T) {
	s := start(t, nil)
	s.refused("NoSuchEntity", "The Password Policy with domain name 123456789012 cannot be found.", "GetAccountPasswordPolicy")
	s.do("CreateUser", "UserName=ada")
	s.refused("NoSuchEntity", "Login Profile for User ada cannot be found.", "GetLoginProfile", "UserName=ada")
	s.refused("PasswordPolicyViolation", "Password should have a minimum length of 8", "CreateLoginProfile", "UserName=ada", "Password=short")
	s.do("UpdateAccountPasswordPolicy", "MinimumPasswordLength=10", "RequireNumbers=true", "RequireSymbols=true", "MaxPasswordAge=90")
	policy := s.do("GetAccountPasswordPolicy")
	s.expect("policy", policy.get("PasswordPolicy/MinimumPasswordLength")+policy.get("PasswordPolicy/ExpirePasswords")+policy.get("PasswordPolicy/RequireUppercaseCharacters"), "10truefalse")
	s.refused("PasswordPolicyViolation", "Password does not conform to the account password policy.", "CreateLoginProfile", "UserName=ada", "Password=no numbers!")
	made := s.do("CreateLoginProfile", "UserName=ada", "Password=1 correct horse!", "PasswordResetRequired=true")
	s.expect("reset", made.get("LoginProfile/PasswordResetRequired"), "true")
	s.refused("EntityAlreadyExists", "Login Profile for user ada already exists.", "CreateLoginProfile", "UserName=ada", "Password=1 correct horse!")

	s.do("AttachUserPolicy", "UserName=ada", "PolicyArn=arn:aws:iam::aws:policy/IAMUserChangePassword")
	ada := s.as(s.keyOf("ada"))
	ada.refused("AccessDenied", "The old password was incorrect.", "ChangePassword", "OldPassword=wrong", "NewPassword=2 correct horse!")
	ada.do("ChangePassword", "OldPassword=1 correct horse!", "NewPassword=2 correct horse!")
	ada.refused("AccessDenied", "The old password was incorrect.", "ChangePassword", "OldPassword=1 correct horse!", "NewPassword=3 correct horse!")
	s.refused("InvalidUserType", "Only IAM Users can change their own password.", "ChangePassword", "OldPassword=a", "NewPassword=b")
	u, _ := store.Users.Get(s.Store.View(), store.NameKey(account, "ada"))
	if u.ResetPassword || strings.Contains(u.Password, "horse") {
		t.Errorf("stored %+v", u)
	}
	for _, line := range s.Audit.All() {
		if strings.Contains(line, "horse") {
			t.Errorf("the audit tells a password: %s", line)
		}
	}
}

func TestAccountsHaveOneAlias(t *testing.T) {
	s := start(t, nil)
	s.expect("none", s.do("ListAccountAliases").texts("AccountAliases/member"), "")
	s.do("CreateAccountAlias", "AccountAlias=one-house")
	s.do("CreateAccountAlias", "AccountAlias=other-house")
	s.expect("one", s.do("ListAccountAliases").texts("AccountAliases/member"), "other-house")
	s.refused("EntityAlreadyExists", "The account alias other-house already exists.", "CreateAccountAlias", "AccountAlias=other-house")
	s.refused("ValidationError", "1 validation error detected", "CreateAccountAlias", "AccountAlias=Bad--alias")
	s.refused("NoSuchEntity", "The account alias with name one-house cannot be found.", "DeleteAccountAlias", "AccountAlias=one-house")
	s.do("DeleteAccountAlias", "AccountAlias=other-house")
}

// TestTheCommandLineMakesAUser walks as the user guide does.
func TestTheCommandLineMakesAUser(t *testing.T) {
	s := start(t, nil)
	run := func(key identity.AccessKey, args string) map[string]any {
		t.Helper()
		out, errs, code := s.CLI(t, key, strings.Fields(args)...)
		var got map[string]any
		if code != 0 || out != "" && json.Unmarshal([]byte(out), &got) != nil {
			t.Fatalf("aws %s: %d %s %s", args, code, out, errs)
		}
		return got
	}
	run(s.Root, "iam create-user --user-name ada --tags Key=team,Value=a")
	made := run(s.Root, "iam create-access-key --user-name ada")["AccessKey"].(map[string]any)
	key := identity.AccessKey{ID: made["AccessKeyId"].(string), Secret: made["SecretAccessKey"].(string)}
	if who := run(key, "sts get-caller-identity"); who["Arn"] != "arn:aws:iam::123456789012:user/ada" {
		t.Errorf("who: %v", who)
	}
	_, errs, code := s.CLI(t, key, "iam", "list-users")
	if code == 0 || !strings.Contains(errs, "An error occurred (AccessDenied) when calling the ListUsers operation: User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:ListUsers") {
		t.Errorf("%d %s", code, errs)
	}
	run(s.Root, "iam attach-user-policy --user-name ada --policy-arn arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	if users := run(key, "iam list-users")["Users"].([]any); len(users) != 1 {
		t.Errorf("users: %v", users)
	}
	document := run(s.Root, "iam get-policy-version --policy-arn arn:aws:iam::aws:policy/AdministratorAccess --version-id v1")["PolicyVersion"].(map[string]any)["Document"]
	if _, decoded := document.(map[string]any); !decoded {
		t.Errorf("the command line could not read the document: %v", document)
	}
}
