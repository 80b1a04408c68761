package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

// account is the one that berth has unless it is told another.
const account = "000000000000"

// statement is one of a policy. Lists of one are as AWS's users write them.
type statement struct {
	Effect    string
	Principal map[string]string         `json:",omitempty"`
	Action    []string                  `json:",omitempty"`
	Resource  []string                  `json:",omitempty"`
	Condition map[string]map[string]any `json:",omitempty"`
}

func policy(statements ...statement) *string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // plain strings only
	}
	return aws.String(string(text))
}

// allow allows an action, or several with spaces between them, on resources.
func allow(actions string, resources ...string) statement {
	return statement{Effect: "Allow", Action: strings.Fields(actions), Resource: resources}
}

// when adds a condition.
func (s statement) when(operator, key string, value any) statement {
	s.Condition = map[string]map[string]any{operator: {key: value}}
	return s
}

// trusting lets a service become a role.
func trusting(service string) *string {
	return policy(statement{Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"}})
}

// names are fit for everything: they are the test's.
var names = strings.NewReplacer("/", "-", "#", "-", " ", "-", ".", "-")

// nameOf is a test's name with a word behind it.
func nameOf(t *testing.T, word string) string { return names.Replace(t.Name()) + "-" + word }

// role makes a role for tasks that may do what the statements say; its name is
// returned.
func (b *berth) role(t *testing.T, word string, statements ...statement) string {
	t.Helper()
	return b.roleOf(t, word, trusting("ecs-tasks.amazonaws.com"), statements...)
}

func (b *berth) roleOf(t *testing.T, word string, trust *string, statements ...statement) string {
	t.Helper()
	name := nameOf(t, word)
	if _, err := b.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trust}); err != nil {
		t.Fatal(err)
	}
	if len(statements) > 0 {
		b.permit(t, name, statements...)
	}
	return name
}

// permit replaces what a role may.
func (b *berth) permit(t *testing.T, role string, statements ...statement) {
	t.Helper()
	in := &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("may"), PolicyDocument: policy(statements...)}
	if _, err := b.iam.PutRolePolicy(after(t), in); err != nil {
		t.Fatal(err)
	}
}

// executor makes an execution role that may what AWS's policy says, and more.
func (b *berth) executor(t *testing.T, word string, statements ...statement) string {
	t.Helper()
	name := b.role(t, word, statements...)
	in := &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")}
	if _, err := b.iam.AttachRolePolicy(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return name
}

// user makes a user who may do what the statements say, and is them.
func (b *berth) user(t *testing.T, word string, statements ...statement) (name string, as aws.Config) {
	t.Helper()
	name = nameOf(t, word)
	if _, err := b.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if len(statements) > 0 {
		in := &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("may"), PolicyDocument: policy(statements...)}
		if _, err := b.iam.PutUserPolicy(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	key, err := b.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return name, b.configOf(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
}

// refused holds that an error is of the kind, and says all the words.
func refused(t *testing.T, err error, kind string, words ...string) {
	t.Helper()
	refusal := smithy.APIError(nil)
	if !errors.As(err, &refusal) || refusal.ErrorCode() != kind || !has(refusal.ErrorMessage(), words) {
		t.Errorf("got  %v\nwant %s with %q", err, kind, words)
	}
}

// after is a context that lives on in the test's cleanups.
func after(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }
