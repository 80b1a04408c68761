package iam_test

import "testing"

const (
	onlyRoles = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}}`
	trustRoot = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}}`
)

func TestSessionsOfUsersCannotCallIAM(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("PutUserPolicy", "UserName=ada", "PolicyName=p", "PolicyDocument="+onlyRoles)
	ada := s.as(s.keyOf("ada"))
	ada.do("ListUsers")
	for _, answer := range []element{ada.do("GetSessionToken"), ada.do("GetFederationToken", "Name=guest", "Policy="+onlyRoles), s.do("GetFederationToken", "Name=guest", "Policy="+onlyRoles)} {
		guest := s.as(session(answer))
		guest.do("GetCallerIdentity")
		guest.refused("InvalidClientTokenId", "The security token included in the request is invalid", "ListUsers")
	}
}

func TestFederatedUsersAreBoundedByTheirPolicies(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("PutUserPolicy", "UserName=ada", "PolicyName=p", "PolicyDocument="+onlyRoles)
	guest := s.as(session(s.as(s.keyOf("ada")).do("GetFederationToken", "Name=guest", "Policy="+readS3)))
	s.expect("who", guest.do("GetCallerIdentity").get("Arn"), "arn:aws:sts::123456789012:federated-user/guest")
	guest.refused("AccessDenied", "User: arn:aws:sts::123456789012:federated-user/guest is not authorized to perform: iam:ListUsers", "ListUsers")
	key := "AccessKeyId=" + s.Root.ID
	guest.refused("AccessDenied", "User: arn:aws:sts::123456789012:federated-user/guest is not authorized to perform: sts:GetAccessKeyInfo", "GetAccessKeyInfo", key)
	s.as(session(s.as(s.keyOf("ada")).do("GetFederationToken", "Name=guest", "Policy="+onlyRoles))).do("GetAccessKeyInfo", key)
	s.as(session(s.do("GetFederationToken", "Name=guest", "Policy="+onlyRoles))).do("GetAccessKeyInfo", key)
	s.as(session(s.do("GetFederationToken", "Name=guest", "Policy="+readS3))).refused("AccessDenied", "User: arn:aws:sts::123456789012:federated-user/guest", "GetAccessKeyInfo", key)
}

func TestTrustSeesTheCallersTags(t *testing.T) {
	s := start(t, nil)
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustRoot)
	s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	for _, name := range []string{"ada", "bob"} {
		s.do("CreateUser", "UserName="+name)
		s.do("PutUserPolicy", "UserName="+name, "PolicyName=p", "PolicyDocument="+onlyRoles)
	}
	s.do("TagUser", "UserName=ada", "Tags.member.1.Key=team", "Tags.member.1.Value=a")
	assume := []string{"RoleArn=arn:aws:iam::123456789012:role/app", "RoleSessionName=me"}
	app := s.as(session(s.as(s.keyOf("ada")).do("AssumeRole", assume...)))
	app.do("ListUsers")
	app.refused("AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/app/me is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::123456789012:user/eve", "CreateUser", "UserName=eve")
	s.as(s.keyOf("bob")).refused("AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/app", "AssumeRole", assume...)

	s.do("DetachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	s.do("DeleteRole", "RoleName=app")
	app.refused("AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/app/me is not authorized to perform: iam:ListUsers", "ListUsers")
	s.do("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trustRoot)
	s.do("AttachRolePolicy", "RoleName=app", "PolicyArn=arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	app.refused("AccessDenied", "", "ListUsers")
}
