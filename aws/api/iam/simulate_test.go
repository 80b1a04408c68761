package iam_test

import "testing"

const mixed = `{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"s3:*","Resource":"*"},
  {"Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::keep/*"},
  {"Effect":"Allow","Action":"ecs:RunTask","Resource":"*","Condition":{"StringEquals":{"ecs:cluster":"c","aws:RequestTag/Team":"a"}}}]}`

func TestPoliciesAreSimulated(t *testing.T) {
	s := start(t, nil)
	got := s.do("SimulateCustomPolicy", "PolicyInputList.member.1="+mixed, "ActionNames.member.1=s3:GetObject", "ActionNames.member.2=s3:DeleteObject", "ActionNames.member.3=ecs:RunTask",
		"ResourceArns.member.1=arn:aws:s3:::keep/x", "ResourceArns.member.2=*")
	s.expect("decisions", got.texts("EvaluationResults/member/EvalDecision"), "allowed,allowed,explicitDeny,allowed,implicitDeny,implicitDeny")
	s.expect("resources", got.texts("EvaluationResults/member/EvalResourceName"), "arn:aws:s3:::keep/x,*,arn:aws:s3:::keep/x,*,arn:aws:s3:::keep/x,*")
	denied := got.all("EvaluationResults/member")[2]
	s.expect("statement", denied.texts("MatchedStatements/member/SourcePolicyId")+denied.texts("MatchedStatements/member/StartPosition/Line")+denied.texts("MatchedStatements/member/StartPosition/Column"), "PolicyInputList.133")
	s.expect("by resource", denied.get("ResourceSpecificResults/member/EvalResourceDecision"), "explicitDeny")
	missing := got.all("EvaluationResults/member")[5].texts("MissingContextValues/member")
	s.expect("missing", missing, "ecs:cluster")
	got = s.do("SimulateCustomPolicy", "PolicyInputList.member.1="+mixed, "ActionNames.member.1=ecs:RunTask",
		"ContextEntries.member.1.ContextKeyName=ecs:cluster", "ContextEntries.member.1.ContextKeyValues.member.1=c", "ContextEntries.member.1.ContextKeyType=string")
	s.expect("still missing", got.texts("EvaluationResults/member/MissingContextValues/member"), "aws:RequestTag/Team")
	got = s.do("SimulateCustomPolicy", "PolicyInputList.member.1="+mixed, "ActionNames.member.1=ecs:RunTask",
		"ContextEntries.member.1.ContextKeyName=ECS:Cluster", "ContextEntries.member.1.ContextKeyValues.member.1=c", "ContextEntries.member.1.ContextKeyType=string",
		"ContextEntries.member.2.ContextKeyName=aws:RequestTag/Team", "ContextEntries.member.2.ContextKeyValues.member.1=a", "ContextEntries.member.2.ContextKeyType=string")
	s.expect("in context", got.texts("EvaluationResults/member/EvalDecision"), "allowed")
	page := s.do("SimulateCustomPolicy", "PolicyInputList.member.1="+mixed, "ActionNames.member.1=s3:GetObject", "ActionNames.member.2=s3:PutObject", "MaxItems=1")
	s.expect("page", page.texts("EvaluationResults/member/EvalActionName")+page.get("IsTruncated"), "s3:GetObjecttrue")
	s.refused("MalformedPolicyDocument", "", "SimulateCustomPolicy", "PolicyInputList.member.1={}", "ActionNames.member.1=s3:GetObject")
	s.refused("InvalidInput", "A CallerArn is required when a ResourcePolicy is given.", "SimulateCustomPolicy", "PolicyInputList.member.1="+mixed, "ActionNames.member.1=s3:GetObject", "ResourcePolicy="+mixed)
}

func TestPrincipalsAreSimulated(t *testing.T) {
	s := start(t, nil)
	s.do("CreateUser", "UserName=ada")
	s.do("CreateGroup", "GroupName=devs")
	s.do("AddUserToGroup", "GroupName=devs", "UserName=ada")
	s.do("PutGroupPolicy", "GroupName=devs", "PolicyName=mixed", "PolicyDocument="+mixed)
	const ada, devs = "PolicySourceArn=arn:aws:iam::123456789012:user/ada", "PolicySourceArn=arn:aws:iam::123456789012:group/devs"
	for _, source := range []string{ada, devs} {
		got := s.do("SimulatePrincipalPolicy", source, "ActionNames.member.1=s3:GetObject")
		s.expect(source, got.texts("EvaluationResults/member/EvalDecision")+got.texts("EvaluationResults/member/MatchedStatements/member/SourcePolicyId"), "allowedmixed")
	}
	s.do("PutUserPermissionsBoundary", "UserName=ada", "PermissionsBoundary=arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	got := s.do("SimulatePrincipalPolicy", ada, "ActionNames.member.1=s3:GetObject")
	s.expect("bounded", got.texts("EvaluationResults/member/EvalDecision")+got.texts("EvaluationResults/member/PermissionsBoundaryDecisionDetail/AllowedByPermissionsBoundary"), "implicitDenyfalse")
	got = s.do("SimulatePrincipalPolicy", ada, "ActionNames.member.1=s3:GetObject", "PermissionsBoundaryPolicyInputList.member.1="+mixed)
	s.expect("another boundary", got.texts("EvaluationResults/member/EvalDecision"), "allowed")
	bucket := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":"s3:*","Resource":"*"}]}`
	got = s.do("SimulatePrincipalPolicy", devs, "ActionNames.member.1=s3:GetObject", "ResourcePolicy="+bucket, "CallerArn=arn:aws:iam::123456789012:user/ada", "ResourceArns.member.1=arn:aws:s3:::keep/x")
	s.expect("by the resource", got.texts("EvaluationResults/member/EvalDecision")+got.texts("EvaluationResults/member/MatchedStatements/member/SourcePolicyType"), "explicitDenyResource Policy")
	s.expect("keys", s.do("GetContextKeysForPrincipalPolicy", ada).texts("ContextKeyNames/member"), "aws:RequestTag/Team,ecs:cluster")
	s.expect("keys", s.do("GetContextKeysForCustomPolicy", "PolicyInputList.member.1="+mixed).texts("ContextKeyNames/member"), "aws:RequestTag/Team,ecs:cluster")
	s.refused("NoSuchEntity", "The user with name none cannot be found.", "SimulatePrincipalPolicy", "PolicySourceArn=arn:aws:iam::123456789012:user/none", "ActionNames.member.1=s3:GetObject")
	s.refused("InvalidInput", "Invalid Entity Arn", "SimulatePrincipalPolicy", "PolicySourceArn=arn:aws:s3:::bucket/is/no/one", "ActionNames.member.1=s3:GetObject")
}
