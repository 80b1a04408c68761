package door_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	stsclient "github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/iam"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/store"
)

const trustAda = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ada"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`

func startIAM(t *testing.T) (*gatewaytest.Server, *client.Client) {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		users, tokens := iam.New(iam.Config{Store: st}), sts.New(sts.Config{Store: st, Keys: access.New(access.Config{Store: st}).Keys})
		return []gateway.Offer{
			{Service: shape.API, Handlers: users.Operations(), Needs: users.Needs()},
			{Service: stsshape.API, Handlers: tokens.Operations(), Needs: tokens.Needs()},
		}
	}, nil)
	if err := iam.EnsureManagedPolicies(t.Context(), s.Store, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s, client.NewFromConfig(s.Config(s.Root))
}

// keysOf makes a user with keys.
func keysOf(t *testing.T, c *client.Client, name string) identity.AccessKey {
	t.Helper()
	must[*client.CreateUserOutput](t)(c.CreateUser(t.Context(), &client.CreateUserInput{UserName: &name}))
	made := must[*client.CreateAccessKeyOutput](t)(c.CreateAccessKey(t.Context(), &client.CreateAccessKeyInput{UserName: &name})).AccessKey
	return identity.AccessKey{ID: *made.AccessKeyId, Secret: *made.SecretAccessKey}
}

// TestARoleIsWhatTerraformReads holds the answers against what a second plan compares.
func TestARoleIsWhatTerraformReads(t *testing.T) {
	_, c := startIAM(t)
	ctx := t.Context()
	const trust = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"ecs-tasks.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}]\n}\n"
	made := must[*client.CreateRoleOutput](t)(c.CreateRole(ctx, &client.CreateRoleInput{
		RoleName: aws.String("app"), Path: aws.String("/svc/"), AssumeRolePolicyDocument: aws.String(trust), MaxSessionDuration: aws.Int32(7200),
		Tags: []types.Tag{{Key: aws.String("z"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("")}},
	})).Role
	got := must[*client.GetRoleOutput](t)(c.GetRole(ctx, &client.GetRoleInput{RoleName: aws.String("app")})).Role
	document, err := url.QueryUnescape(*got.AssumeRolePolicyDocument)
	if err != nil || document != trust {
		t.Errorf("trust %q, %v", document, err)
	}
	if *got.Arn != "arn:aws:iam::123456789012:role/svc/app" || *got.RoleId != *made.RoleId || *got.MaxSessionDuration != 7200 || got.Description != nil || got.PermissionsBoundary != nil || got.RoleLastUsed == nil || got.RoleLastUsed.LastUsedDate != nil {
		t.Errorf("%+v", got)
	}
	if len(got.Tags) != 2 || *got.Tags[0].Key != "z" || *got.Tags[1].Value != "" || !got.CreateDate.Equal(*made.CreateDate) {
		t.Errorf("%+v", got.Tags)
	}
	for _, list := range []func() int{
		func() int {
			return len(must[*client.ListRolePoliciesOutput](t)(c.ListRolePolicies(ctx, &client.ListRolePoliciesInput{RoleName: aws.String("app")})).PolicyNames)
		},
		func() int {
			return len(must[*client.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx, &client.ListAttachedRolePoliciesInput{RoleName: aws.String("app")})).AttachedPolicies)
		},
		func() int {
			return len(must[*client.ListInstanceProfilesForRoleOutput](t)(c.ListInstanceProfilesForRole(ctx, &client.ListInstanceProfilesForRoleInput{RoleName: aws.String("app")})).InstanceProfiles)
		},
	} {
		if n := list(); n != 0 {
			t.Errorf("a list of %d", n)
		}
	}
	must[*client.DeleteRoleOutput](t)(c.DeleteRole(ctx, &client.DeleteRoleInput{RoleName: aws.String("app")}))
	_, err = c.GetRole(ctx, &client.GetRoleInput{RoleName: aws.String("app")})
	if _, gone := errors.AsType[*types.NoSuchEntityException](err); !gone {
		t.Errorf("after deletion: %v", err)
	}
}

func TestTheSDKKnowsIAMsErrors(t *testing.T) {
	_, c := startIAM(t)
	ctx := t.Context()
	must[*client.CreateUserOutput](t)(c.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String("ada")}))
	_, err := c.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String("ada")})
	if _, ok := errors.AsType[*types.EntityAlreadyExistsException](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = c.PutUserPolicy(ctx, &client.PutUserPolicyInput{UserName: aws.String("ada"), PolicyName: aws.String("p"), PolicyDocument: aws.String("{}")})
	if _, ok := errors.AsType[*types.MalformedPolicyDocumentException](err); !ok {
		t.Errorf("%v", err)
	}
	for range 2 {
		must[*client.CreateAccessKeyOutput](t)(c.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: aws.String("ada")}))
	}
	_, err = c.CreateAccessKey(ctx, &client.CreateAccessKeyInput{UserName: aws.String("ada")})
	if _, ok := errors.AsType[*types.LimitExceededException](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = c.DeleteUser(ctx, &client.DeleteUserInput{UserName: aws.String("ada")})
	if _, ok := errors.AsType[*types.DeleteConflictException](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = c.DeletePolicy(ctx, &client.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	if err == nil {
		t.Error("AWS's policy was deleted")
	}
	_, err = c.CreateServiceLinkedRole(ctx, &client.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("none.amazonaws.com")})
	if _, ok := errors.AsType[*types.InvalidInputException](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestThePaginatorsWalkIAM(t *testing.T) {
	_, c := startIAM(t)
	ctx := t.Context()
	for n := range 7 {
		must[*client.CreateGroupOutput](t)(c.CreateGroup(ctx, &client.CreateGroupInput{GroupName: aws.String(fmt.Sprintf("g%d", n))}))
	}
	var names []string
	for pages := client.NewListGroupsPaginator(c, &client.ListGroupsInput{MaxItems: aws.Int32(3)}); pages.HasMorePages(); {
		for _, g := range must[*client.ListGroupsOutput](t)(pages.NextPage(ctx)).Groups {
			names = append(names, *g.GroupName)
		}
	}
	if got := fmt.Sprint(names); got != "[g0 g1 g2 g3 g4 g5 g6]" {
		t.Errorf("groups %s", got)
	}
	seen := map[string]bool{}
	for pages := client.NewListPoliciesPaginator(c, &client.ListPoliciesInput{MaxItems: aws.Int32(9)}); pages.HasMorePages(); {
		for _, p := range must[*client.ListPoliciesOutput](t)(pages.NextPage(ctx)).Policies {
			if seen[*p.Arn] {
				t.Errorf("%s twice", *p.Arn)
			}
			seen[*p.Arn] = true
		}
	}
	if len(seen) < 50 || !seen["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"] {
		t.Errorf("%d policies", len(seen))
	}
}

func TestAnAssumedRoleWorksUntilItIsDeleted(t *testing.T) {
	s, c := startIAM(t)
	ctx := t.Context()
	ada := stsclient.NewFromConfig(s.Config(keysOf(t, c, "ada")))
	role := must[*client.CreateRoleOutput](t)(c.CreateRole(ctx, &client.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: aws.String(trustAda)})).Role
	must[*client.AttachRolePolicyOutput](t)(c.AttachRolePolicy(ctx, &client.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMFullAccess")}))
	out := must[*stsclient.AssumeRoleOutput](t)(ada.AssumeRole(ctx, &stsclient.AssumeRoleInput{
		RoleArn: role.Arn, RoleSessionName: aws.String("me"), Tags: []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
		PolicyArns: []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}},
	}))
	if *out.AssumedRoleUser.AssumedRoleId != *role.RoleId+":me" || out.PackedPolicySize == nil {
		t.Errorf("%+v", out)
	}
	app := client.NewFromConfig(s.Config(identity.AccessKey{ID: *out.Credentials.AccessKeyId, Secret: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}))
	must[*client.ListUsersOutput](t)(app.ListUsers(ctx, nil))
	if _, err := app.CreateUser(ctx, &client.CreateUserInput{UserName: aws.String("eve")}); err == nil {
		t.Error("the session may more than its policies")
	}
	must[*client.DetachRolePolicyOutput](t)(c.DetachRolePolicy(ctx, &client.DetachRolePolicyInput{RoleName: role.RoleName, PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMFullAccess")}))
	must[*client.DeleteRoleOutput](t)(c.DeleteRole(ctx, &client.DeleteRoleInput{RoleName: role.RoleName}))
	if _, err := app.ListUsers(ctx, nil); err == nil {
		t.Error("the session of a deleted role works")
	}
	_, err := ada.AssumeRole(context.Background(), &stsclient.AssumeRoleInput{RoleArn: role.Arn, RoleSessionName: aws.String("me")})
	if err == nil {
		t.Error("a deleted role was assumed")
	}
	_, err = ada.DecodeAuthorizationMessage(ctx, &stsclient.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
	if err == nil {
		t.Error("nonsense was decoded")
	}
}
