package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// TestAPolicyCountsAtOnce takes a policy from the role of a running task, and gives it
// back; the simulator and the report of what was used say the same.
//
// Proves 3B.5.
func TestAPolicyCountsAtOnce(t *testing.T) {
	t.Parallel()
	const object = "arn:aws:s3:::counts-at-once/model.bin"
	here.bucketWith(t, "counts-at-once", "model.bin", "weights")
	role, may := here.role(t, "role"), here.policy(t, "reads", allow("s3:GetObject", object))
	attach := func() error {
		_, err := here.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: &may})
		return err
	}
	if err := attach(); err != nil {
		t.Fatal(err)
	}
	task := here.run(t, onEC2("watch object counts-at-once model.bin").as(role))
	here.told(t, task, "object", "weights")
	here.simulated(t, role, "s3:GetObject", object, types.PolicyEvaluationDecisionTypeAllowed)

	if _, err := here.iam.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: &may}); err != nil {
		t.Fatal(err)
	}
	here.told(t, task, "object", "error: AccessDenied: "+denial(role, task, "s3:GetObject", object))
	here.simulated(t, role, "s3:GetObject", object, types.PolicyEvaluationDecisionTypeImplicitDeny)
	if err := attach(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the object again", func() bool { return strings.Count(here.output(t, task), "object: weights") == 2 })
	if now := here.describe(t, task); *now.LastStatus != "RUNNING" || now.Containers[0].ExitCode != nil {
		t.Errorf("the task did not just run on: %s", summary(now))
	}
	here.usedLately(t, role, "s3")
}

// policy makes a policy that the account manages.
func (b *berth) policy(t *testing.T, word string, statements ...statement) string {
	t.Helper()
	out, err := b.iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(nameOf(t, word)), PolicyDocument: policy(statements...)})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Policy.Arn
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

func (b *berth) simulated(t *testing.T, role, action, resource string, want types.PolicyEvaluationDecisionType) {
	t.Helper()
	out, err := b.iam.SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(roleARN(role)), ActionNames: []string{action}, ResourceArns: []string{resource},
	})
	if err != nil || len(out.EvaluationResults) != 1 || out.EvaluationResults[0].EvalDecision != want {
		t.Errorf("simulated: %s %v, want %s", shown(out), err, want)
	}
}

// usedLately holds that the role, and the service in its report, were just used.
func (b *berth) usedLately(t *testing.T, role, service string) {
	t.Helper()
	lately := func(at *time.Time) bool { return at != nil && time.Since(*at).Abs() < 10*time.Minute }
	eventually(t, "RoleLastUsed", func() bool {
		out, err := b.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
		return err == nil && out.Role.RoleLastUsed != nil && lately(out.Role.RoleLastUsed.LastUsedDate) && aws.ToString(out.Role.RoleLastUsed.Region) == "us-east-1"
	})
	job, err := b.iam.GenerateServiceLastAccessedDetails(t.Context(), &iam.GenerateServiceLastAccessedDetailsInput{Arn: aws.String(roleARN(role))})
	if err != nil {
		t.Fatal(err)
	}
	var report *iam.GetServiceLastAccessedDetailsOutput
	eventually(t, "the report", func() bool {
		report, err = b.iam.GetServiceLastAccessedDetails(t.Context(), &iam.GetServiceLastAccessedDetailsInput{JobId: job.JobId})
		return err != nil || report.JobStatus != types.JobStatusTypeInProgress
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range report.ServicesLastAccessed {
		if *s.ServiceNamespace == service && lately(s.LastAuthenticated) {
			return
		}
	}
	t.Errorf("the report has no recent use of %s: %s", service, shown(report))
}

// TestARoleThatIsGoneOpensNothing deletes the role of a running task.
func TestARoleThatIsGoneOpensNothing(t *testing.T) {
	t.Parallel()
	here.bucketWith(t, "role-is-gone", "model.bin", "weights")
	role := here.role(t, "role", allow("s3:GetObject", "arn:aws:s3:::role-is-gone/*"))
	d := onEC2("watch object role-is-gone model.bin").as(role)
	task := here.run(t, d)
	here.told(t, task, "object", "weights")
	if _, err := here.iam.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: aws.String("may")}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &role}); err != nil {
		t.Fatal(err)
	}
	here.told(t, task, "object", "error: ")
	in := here.place(t, d)
	in.TaskDefinition = d.Family
	_, err := here.ecs.RunTask(t.Context(), in)
	refused(t, err, "ClientException", "ECS was unable to assume the role '"+roleARN(role)+"'")
}

// TestARoleThatDoesNotTrustTasksIsNotTheirs takes the trust from a role, and asks for a
// task as one that never trusted ECS.
func TestARoleThatDoesNotTrustTasksIsNotTheirs(t *testing.T) {
	t.Parallel()
	role, strange := here.role(t, "role"), here.roleOf(t, "strange", trusting("lambda.amazonaws.com"))
	d := onEC2("whoami").as(role)
	here.stopped(t, here.run(t, d))
	if _, err := here.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: trusting("ec2.amazonaws.com")}); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{role, strange} {
		in := here.place(t, d)
		in.TaskDefinition, in.Overrides = d.Family, override(role)
		_, err := here.ecs.RunTask(t.Context(), in)
		refused(t, err, "ClientException", "ECS was unable to assume the role '"+roleARN(role)+"' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions")
	}
}
