package policy

import "testing"

// The sentences of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestDenial(t *testing.T) {
	const (
		task    = "arn:aws:ecs:us-east-1:123456789012:task-definition/a:1"
		managed = "arn:aws:iam::123456789012:policy/P"
		johns   = "User: arn:aws:iam::123456789012:user/John is not authorized to perform: ecs:RunTask on resource: " + task
	)
	for want, d := range map[string]Decision{
		johns + " because no identity-based policy allows the ecs:RunTask action": {Source: IdentityBased},
		johns + " because no permissions boundary allows the ecs:RunTask action":  {Source: Boundary},
		johns + " because no session policy allows the ecs:RunTask action":        {Source: SessionBased},
		johns + " because no resource-based policy allows the ecs:RunTask action": {Source: ResourceBased},
		johns + " because no role trust policy allows the ecs:RunTask action":     {Source: TrustBased},
		johns + " with an explicit deny in an identity-based policy: " + managed:  {Effect: ExplicitDeny, Source: IdentityBased, Policy: managed},
		johns + " with an explicit deny in an identity-based policy":              {Effect: ExplicitDeny, Source: IdentityBased, Policy: "inline"},
		johns + " with an explicit deny in a permissions boundary: " + managed:    {Effect: ExplicitDeny, Source: Boundary, Policy: managed},
		johns + " with an explicit deny in a session policy":                      {Effect: ExplicitDeny, Source: SessionBased},
		johns + " with an explicit deny in a resource-based policy":               {Effect: ExplicitDeny, Source: ResourceBased},
		johns + " with an explicit deny in the role trust policy":                 {Effect: ExplicitDeny, Source: TrustBased},
	} {
		if got := Denial(&Request{Principal: user("John"), Action: "ecs:RunTask", Resource: task}, d); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	const session = "User: arn:aws:sts::123456789012:assumed-role/Role/Session is not authorized to perform: ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters action"
	if got := Denial(&Request{Principal: roleSession(), Action: "ecs:ListClusters", Resource: "*"}, Decision{Source: IdentityBased}); got != session {
		t.Errorf("got %s", got)
	}
	if got := Denial(&Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k"}, Decision{Source: ResourceBased}); got != "User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k because no resource-based policy allows the s3:GetObject action" {
		t.Errorf("got %s", got)
	}
}
