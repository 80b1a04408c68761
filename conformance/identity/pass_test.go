package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// override runs a task as another role.
func override(role string) *types.TaskOverride {
	return &types.TaskOverride{TaskRoleArn: aws.String(roleARN(role))}
}

// userDenial is what AWS says of a user whose policies do not allow an action.
func userDenial(user, action, resource string) string {
	return "User: arn:aws:iam::" + account + ":user/" + user + " is not authorized to perform: " + action + " on resource: " + quoted(action, resource) + " because no identity-based policy allows the " + action + " action"
}

// TestWhoRunsTasksMustBeLetPassTheirRoles has a user with all of ECS and one role.
func TestWhoRunsTasksMustBeLetPassTheirRoles(t *testing.T) {
	t.Parallel()
	mine, theirs := here.role(t, "mine"), here.role(t, "theirs")
	name, as := here.user(t, "user", allow("ecs:*", "*"),
		allow("iam:PassRole", roleARN(mine), roleARN(executionRole)).when("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"))
	user := ecs.NewFromConfig(as)
	family := aws.String(nameOf(t, "family"))
	d := onEC2("whoami").as(roleARN(mine))
	d.Family = family
	if _, err := user.RegisterTaskDefinition(t.Context(), &d.RegisterTaskDefinitionInput); err != nil {
		t.Fatal(err)
	}
	other := onEC2("whoami").as(roleARN(theirs))
	other.Family = aws.String(nameOf(t, "other"))
	_, err := user.RegisterTaskDefinition(t.Context(), &other.RegisterTaskDefinitionInput)
	refused(t, err, "AccessDeniedException", userDenial(name, "iam:PassRole", roleARN(theirs)))

	in := here.place(t, d)
	in.TaskDefinition, in.Overrides = family, override(theirs)
	_, err = user.RunTask(t.Context(), in)
	refused(t, err, "AccessDeniedException", userDenial(name, "iam:PassRole", roleARN(theirs)))
	// A definition of another's, with a role that the user may not pass.
	here.register(t, other)
	in.TaskDefinition, in.Overrides = other.Family, nil
	_, err = user.RunTask(t.Context(), in)
	refused(t, err, "AccessDeniedException", userDenial(name, "iam:PassRole", roleARN(theirs)))
	_, err = user.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: other.Family, TaskDefinition: other.Family, DesiredCount: aws.Int32(0)})
	refused(t, err, "AccessDeniedException", userDenial(name, "iam:PassRole", roleARN(theirs)))
	in.TaskDefinition = family
	out, err := user.RunTask(t.Context(), in)
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("with what it may: %s %v", shown(out), err)
	}
	here.told(t, *out.Tasks[0].TaskArn, "whoami", session(mine, *out.Tasks[0].TaskArn))
}

// TestTagsAtTheStartNeedTheirOwnPermission gives a user who may run tasks tags to put
// on them.
func TestTagsAtTheStartNeedTheirOwnPermission(t *testing.T) {
	t.Parallel()
	d := onEC2("whoami")
	arn := here.register(t, d)
	running := []statement{allow("ecs:RunTask", "*"), allow("iam:PassRole", "*")}
	name, plain := here.user(t, "plain", running...)
	_, other := here.user(t, "other", append(running, allow("ecs:TagResource", "*").when("StringEquals", "ecs:CreateAction", "CreateCluster"))...)
	_, tagger := here.user(t, "tagger", append(running, allow("ecs:TagResource", "*").when("StringEquals", "ecs:CreateAction", "RunTask"))...)
	in := here.place(t, d)
	in.TaskDefinition, in.Tags = &arn, []types.Tag{{Key: aws.String("team"), Value: aws.String("vision")}}
	for _, as := range []aws.Config{plain, other} {
		_, err := ecs.NewFromConfig(as).RunTask(t.Context(), in)
		refused(t, err, "AccessDeniedException", "is not authorized to perform: ecs:TagResource on resource: arn:aws:ecs:us-east-1:"+account+":task/", "because no identity-based policy allows the ecs:TagResource action")
	}
	if _, err := ecs.NewFromConfig(tagger).RunTask(t.Context(), in); err != nil {
		t.Error(err)
	}
	in.Tags, in.ClientToken = nil, nil // the client wrote a token into it
	if _, err := ecs.NewFromConfig(plain).RunTask(t.Context(), in); err != nil {
		t.Errorf("%s without tags: %v", name, err)
	}
}
