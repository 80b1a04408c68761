package identity_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bucketWith makes a bucket with one object.
func (b *berth) bucketWith(t *testing.T, bucket, key, text string) {
	t.Helper()
	if _, err := b.objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(text))}); err != nil {
		t.Fatal(err)
	}
}

const (
	weights     = "arn:aws:s3:::different-roles/model.bin"
	sessionsARN = "arn:aws:dynamodb:us-east-1:" + account + ":table/" + table
	lookPath    = "env AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
)

// session is the ARN of a task's session of a role.
func session(role, task string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + id(task)
}

// pathOf is where a task finds its credentials.
func (b *berth) pathOf(t *testing.T, task string) string {
	t.Helper()
	return strings.TrimSuffix(strings.TrimPrefix(b.told(t, task, "env", "=/v2/credentials/"), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="), ";")
}

// denial is what AWS says of a session that no policy of its own allows an action.
func denial(role, task, action, resource string) string {
	return "User: " + session(role, task) + " is not authorized to perform: " + action + " on resource: " + quoted(action, resource) + " because no identity-based policy allows the " + action + " action"
}

// quoted is a resource as its service says it: S3 puts it between quotation marks.
func quoted(action, resource string) string {
	if strings.HasPrefix(action, "s3:") {
		return `"` + resource + `"`
	}
	return resource
}

// TestTasksReachDifferentServices has two tasks on one machine and one on Fargate,
// each with a role of its own, read an object and write an item; and each ask for the
// keys of another.
//
// Proves 3B.1, 3B.2, 3B.3.
func TestTasksReachDifferentServices(t *testing.T) {
	t.Parallel()
	here.bucketWith(t, "different-roles", "model.bin", "weights")
	here.bucketWith(t, "different-others", "model.bin", "others")
	reader, writer := here.role(t, "reader", allow("s3:GetObject", weights)), here.role(t, "writer", allow("dynamodb:PutItem", sessionsARN))
	apart := here.role(t, "apart", allow("dynamodb:PutItem", sessionsARN))
	steps := func(path, item string) string {
		return "whoami , object different-roles model.bin , object different-others model.bin , put " + table + " " + item + " , " + lookPath + " , fetch http://169.254.170.2" + path + " , wait"
	}
	first := here.run(t, onEC2(steps("/v2/credentials/none", "of-reader")).as(reader))
	path := here.pathOf(t, first)
	second := here.run(t, onEC2(steps(path, "of-writer")).as(writer))
	third := here.run(t, onFargate(steps(path, "of-apart")).as(apart))
	fourth := here.run(t, onEC2("fetch http://169.254.170.2"+here.pathOf(t, second)+" , fetch http://169.254.170.2"+here.pathOf(t, third)+" , whoami").as(reader))

	for task, role := range map[string]string{first: reader, second: writer, third: apart, fourth: reader} {
		here.told(t, task, "whoami", session(role, task))
		here.told(t, task, "fetch", "400 ", "InvalidIdInRequest")
		if said := here.output(t, task); strings.Contains(said, "SecretAccessKey") || strings.Count(said, "fetch: 400") != strings.Count(said, "fetch: ") {
			t.Errorf("another's keys: %s", said)
		}
	}
	here.told(t, first, "object", "weights")
	here.told(t, first, "object", "error: AccessDenied: "+denial(reader, first, "s3:GetObject", "arn:aws:s3:::different-others/model.bin"))
	here.told(t, first, "put", "error: AccessDeniedException: "+denial(reader, first, "dynamodb:PutItem", sessionsARN))
	for task, role := range map[string]string{second: writer, third: apart} {
		here.told(t, task, "put", "written")
		here.told(t, task, "object", "error: AccessDenied: "+denial(role, task, "s3:GetObject", weights))
	}
	kept := sessions.kept()
	if slices.Contains(kept, "of-reader") || !slices.Contains(kept, "of-writer") || !slices.Contains(kept, "of-apart") {
		t.Errorf("the table has %q", kept)
	}
	if one, two := here.describe(t, first), here.describe(t, second); aws.ToString(one.ContainerInstanceArn) == "" || *one.ContainerInstanceArn != *two.ContainerInstanceArn {
		t.Error("the tasks of EC2 are not on one machine")
	}
	here.deniedInAudit(t, reader, "dynamodb:PutItem", "AccessDeniedException", denial(reader, first, "dynamodb:PutItem", sessionsARN))
}

// deniedInAudit finds a refusal in `berth audit log`.
func (b *berth) deniedInAudit(t *testing.T, principal, action string, words ...string) {
	t.Helper()
	out, err := b.Command(t.Context(), "audit", "log", "--denied", "--principal", principal, "--action", action).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says(t, string(out), append(words, action)...)
}
