package secret_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/agent/secret/secrettest"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

const asm = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"

func order(c workload.Container) *task.Order {
	c.Name = "app"
	return &task.Order{ARN: "arn:aws:ecs:us-east-1:000000000000:task/default/1", Region: "us-east-1", ExecutionRole: secrettest.Role(),
		Containers: []task.OrderContainer{{Container: c}, {Container: workload.Container{Name: "plain"}}}}
}

func from(values ...string) (out []workload.Secret) {
	for i, v := range values {
		out = append(out, workload.Secret{Name: fmt.Sprintf("S%d", i), ValueFrom: v})
	}
	return out
}

func fetcher(s *secrettest.Server) *secret.Fetcher {
	return &secret.Fetcher{API: s.Client(), Patience: &secret.Patience{First: time.Millisecond, Last: time.Millisecond, For: time.Minute}}
}

// TestFetch reads every form in which a container may name a secret.
func TestFetch(t *testing.T) {
	s := secrettest.New(t)
	s.Secret(asm, `{"user":"ada","port":1000000,"nested":{"a": 1},"empty":""}`)
	s.Secret(asm+"|AWSPREVIOUS|", `{"user":"old"}`)
	s.Secret(asm+"||v1", `{"user":"first"}`)
	s.Secret(asm+"|AWSPREVIOUS|v1", "both")
	s.Parameter("/app/name", "by name")
	s.Parameter("/app/name:3", "by version")
	s.Parameter("arn:aws:ssm:us-east-1:000000000000:parameter/app/name", "by arn")
	c := workload.Container{Secrets: from(asm, asm+":user::", asm+":port::", asm+":nested::", asm+":user:AWSPREVIOUS:", asm+":user::v1", asm+"::AWSPREVIOUS:v1",
		asm+":::", asm+":empty::", "/app/name", "/app/name:3", "arn:aws:ssm:us-east-1:000000000000:parameter/app/name")}
	c.Log = &workload.LogConfiguration{Driver: "awslogs", SecretOptions: []workload.Secret{{Name: "awslogs-group", ValueFrom: "/app/name"}}}
	got, err := fetcher(s).Fetch(t.Context(), order(c))
	if err != nil {
		t.Fatal(err)
	}
	whole := `{"user":"ada","port":1000000,"nested":{"a": 1},"empty":""}`
	for i, want := range []string{whole, "ada", "1000000", `{"a":1}`, "old", "first", "both", whole, "", "by name", "by version", "by arn"} {
		if value := got["app"].Secrets[fmt.Sprintf("S%d", i)]; value != want {
			t.Errorf("%s is %q, not %q", c.Secrets[i].ValueFrom, value, want)
		}
	}
	if got["app"].LogOptions["awslogs-group"] != "by name" {
		t.Errorf("log options: %v", got["app"].LogOptions)
	}
	if _, ok := got["plain"]; ok {
		t.Error("a container that wants nothing is told something")
	}
}

// TestFetchInBatches asks for ten parameters at a time, each once.
func TestFetchInBatches(t *testing.T) {
	s := secrettest.New(t)
	var names []string
	for i := range 23 {
		s.Parameter(fmt.Sprintf("p%d", i), fmt.Sprint(i))
		names = append(names, fmt.Sprintf("p%d", i))
	}
	got, err := fetcher(s).Fetch(t.Context(), order(workload.Container{Secrets: from(append(names, names...)...)}))
	if err != nil || got["app"].Secrets["S22"] != "22" || got["app"].Secrets["S45"] != "22" {
		t.Errorf("%v, %v", got, err)
	}
	if calls := s.Calls(); len(calls) != 3 {
		t.Errorf("asked %v", calls)
	}
}

func TestLogin(t *testing.T) {
	s := secrettest.New(t)
	s.Secret(asm, `{"username":"ada","password":"p"}`)
	got, err := fetcher(s).Fetch(t.Context(), order(workload.Container{RepositoryCredentials: asm}))
	if err != nil || *got["app"].Login != (secret.Login{User: "ada", Password: "p"}) {
		t.Errorf("%+v, %v", got, err)
	}
	s.Secret(asm, `{"username":"ada-who-is-secret"}`)
	if _, err = fetcher(s).Fetch(t.Context(), order(workload.Container{RepositoryCredentials: asm})); err == nil || strings.Contains(err.Error(), "ada") {
		t.Errorf("a password that is missing: %v", err)
	}
}

// TestEnvironmentFiles reads lines as they stand, of several files the first that
// sets a variable.
func TestEnvironmentFiles(t *testing.T) {
	s := secrettest.New(t)
	s.Object("bucket", "a/one.env", "\ufeffA=1\r\n# B=2\nC= \"x=y\" # z\n\nno value\nD=\n=5\nE=$A")
	s.Object("bucket", "two 2.env", "A=other\nF=6\n")
	c := workload.Container{EnvironmentFiles: []workload.EnvironmentFile{{Type: "s3", Value: "arn:aws:s3:::bucket/a/one.env"}, {Type: "s3", Value: "arn:aws:s3:::bucket/two 2.env"}}}
	got, err := fetcher(s).Fetch(t.Context(), order(c))
	want := map[string]string{"A": "1", "C": ` "x=y" # z`, "E": "$A", "F": "6"}
	if err != nil || !maps.Equal(got["app"].Environment, want) {
		t.Errorf("%q, %v", got["app"].Environment, err)
	}
}

// TestRefusals says in AWS's words why a task cannot start.
func TestRefusals(t *testing.T) {
	const denied = "AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role/exec/1 is not authorized to perform: "
	const pulling = "unable to pull secrets or registry auth: execution resource retrieval failed: "
	file := workload.Container{EnvironmentFiles: []workload.EnvironmentFile{{Type: "s3", Value: "arn:aws:s3:::bucket/a.env"}}}
	for name, c := range map[string]struct {
		container workload.Container
		deny      string
		want      string
	}{
		"secret denied": {workload.Container{Secrets: from(asm + ":user::")}, "secretsmanager:GetSecretValue",
			pulling + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + asm + " from secrets manager: " + denied +
				"secretsmanager:GetSecretValue on resource: " + asm + " because no identity-based policy allows the secretsmanager:GetSecretValue action"},
		"secret missing": {workload.Container{Secrets: from(asm + "x")}, "",
			pulling + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " + asm + "x from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		"no such key":       {workload.Container{Secrets: from(asm + ":none::")}, "", "retrieved secret from Secrets Manager did not contain json key none"},
		"not an object":     {workload.Container{Secrets: from(asm + "y:k::")}, "", "the secret's value is not a JSON object"},
		"two colons":        {workload.Container{Secrets: from(asm + ":user:")}, "", "an invalid ARN format for the AWS Secrets Manager secret was specified"},
		"parameter denied":  {workload.Container{Secrets: from("/a")}, "ssm:GetParameters", pulling + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): " + denied + "ssm:GetParameters on resource: arn:aws:ssm:us-east-1:000000000000:parameter/a"},
		"parameter missing": {workload.Container{Secrets: from("/a", "/b", "/c")}, "", pulling + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): Invalid ssm parameters: /b,/c"},
		"file denied":       {file, "s3:GetObject", "failed to download env files: file download command: non empty error stream: service call has been retried 1 time(s): unable to download env file with key a.env from bucket bucket, error: AccessDenied: Access Denied"},
		"file missing":      {file, "", "error: NoSuchKey: The specified key does not exist."},
	} {
		t.Run(name, func(t *testing.T) {
			s := secrettest.New(t)
			s.Secret(asm, `{"user":"hunter2"}`)
			s.Secret(asm+"y", `hunter2`)
			s.Parameter("/a", "hunter2")
			s.Deny(c.deny, true)
			_, err := fetcher(s).Fetch(t.Context(), order(c.container))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestPatience asks again while a server starts, and uses the execution role's keys
// alone.
func TestPatience(t *testing.T) {
	s := secrettest.New(t)
	s.Parameter("/a", "value")
	s.Break(3)
	got, err := fetcher(s).Fetch(t.Context(), order(workload.Container{Secrets: from("/a")}))
	if err != nil || got["app"].Secrets["S0"] != "value" {
		t.Errorf("%v, %v", got, err)
	}
	o := order(workload.Container{Secrets: from("/a")})
	o.ExecutionRole = nil
	if _, err := fetcher(s).Fetch(t.Context(), o); err == nil || !strings.Contains(err.Error(), "executionRoleArn") || len(s.Calls()) != 1 {
		t.Errorf("without a role: %v, asked %v", err, s.Calls())
	}
}
