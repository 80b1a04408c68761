package life_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// cli runs the AWS command line and returns what it printed as text.
func (b *berth) cli(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS command line is not installed")
	}
	command := exec.CommandContext(ctx, program, append(words, "--output", "text")...)
	command.Env = b.Environ()
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("aws %s: %v: %s", strings.Join(words, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func secrets(pairs ...string) (out []types.Secret) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, types.Secret{Name: aws.String(pairs[i]), ValueFrom: aws.String(pairs[i+1])})
	}
	return out
}

// reader makes an execution role that may read the secrets named and make the log group
// of these tests, besides what
// the role of that name may at AWS.
func (b *berth) reader(t *testing.T, name, resource string) string {
	t.Helper()
	const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	arn := b.cli(t, "iam", "create-role", "--role-name", name, "--assume-role-policy-document", trust, "--query", "Role.Arn")
	b.cli(t, "iam", "attach-role-policy", "--role-name", name, "--policy-arn", "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
	b.cli(t, "iam", "put-role-policy", "--role-name", name, "--policy-name", "read", "--policy-document",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","ssm:GetParameters"],"Resource":"`+resource+`"}}`)
	b.cli(t, "iam", "put-role-policy", "--role-name", name, "--policy-name", "log", "--policy-document",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"*"}}`)
	return arn
}

// TestSecrets gives containers secrets in every form: by JSON key, stage and version,
// and parameters by name, ARN and version. A role that may not read one stops its
// task before it starts, in AWS's words.
//
// Proves 3A.5.
func TestSecrets(t *testing.T) {
	t.Parallel()
	arn := here.cli(t, "secretsmanager", "create-secret", "--name", "life-db", "--secret-string", `{"user":"ada","port":5432}`, "--query", "ARN")
	first := here.cli(t, "secretsmanager", "describe-secret", "--secret-id", arn, "--query", "keys(VersionIdsToStages)[0]")
	here.cli(t, "secretsmanager", "put-secret-value", "--secret-id", arn, "--secret-string", `{"user":"bob","port":5433}`)
	for _, value := range []string{"one", "two"} {
		here.cli(t, "ssm", "put-parameter", "--name", "/life/name", "--type", "SecureString", "--overwrite", "--value", value)
	}
	allowed := here.reader(t, "life-reader", "*")
	denied := here.reader(t, "life-stranger", "arn:aws:secretsmanager:us-east-1:000000000000:secret:other-*")
	const parameter = "arn:aws:ssm:us-east-1:000000000000:parameter/life/name"
	for name, on := range everywhere {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sh("app", `echo "$ALL|$USER_NOW|$USER_OLD|$USER_V1|$BY_NAME|$BY_ARN|$BY_VERSION|$(cat /secrets/USER_NOW)"`)
			c.DockerLabels = map[string]string{"berth.secret-files": "/secrets"}
			c.Secrets = secrets("ALL", arn, "USER_NOW", arn+":user::", "USER_OLD", arn+":user:AWSPREVIOUS:", "USER_V1", arn+":user::"+first,
				"BY_NAME", "/life/name", "BY_ARN", parameter, "BY_VERSION", "/life/name:1")
			d := on(c)
			d.ExecutionRoleArn = aws.String(allowed)
			if got, want := here.prints(t, d), `{"user":"bob","port":5433}|bob|ada|ada|two|two|one|bob`; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			d.ExecutionRoleArn = aws.String(denied)
			end := here.stopped(t, here.run(t, d))
			says(t, aws.ToString(end.StoppedReason),
				"ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "+arn+" from secrets manager: AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/life-stranger/",
				"is not authorized to perform: secretsmanager:GetSecretValue on resource: "+arn+" because no identity-based policy allows the secretsmanager:GetSecretValue action")
		})
	}
}

// TestSecretFilesFollowTheirSecret replaces the file of a secret that changes while
// its container runs.
func TestSecretFilesFollowTheirSecret(t *testing.T) {
	t.Parallel()
	arn := here.cli(t, "secretsmanager", "create-secret", "--name", "life-rotating", "--secret-string", "before", "--query", "ARN")
	role := here.reader(t, "life-follower", "*")
	var tasks []string
	for _, on := range everywhere {
		c := sh("app", `while ! grep after /secrets/S; do cat /secrets/S; echo; sleep 1; done; exec sleep 1000`)
		c.DockerLabels = map[string]string{"berth.secret-files": "/secrets"}
		c.Secrets = secrets("S", arn)
		d := on(c)
		d.ExecutionRoleArn = aws.String(role)
		tasks = append(tasks, here.run(t, d))
	}
	for _, task := range tasks {
		here.printed(t, task, "app", "before")
	}
	here.cli(t, "secretsmanager", "put-secret-value", "--secret-id", arn, "--secret-string", "after")
	for _, task := range tasks {
		here.printed(t, task, "app", "after")
	}
}
