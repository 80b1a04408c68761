package life_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/berthhq/berth/conformance/images"
)

// cli is an aws command line, as a user calls it.
type cli struct {
	name    string
	version string
	run     func(ctx context.Context, args ...string) *exec.Cmd
}

// clis are those that are installed, each by itself and as `berth aws`.
func clis(t *testing.T) []cli {
	t.Helper()
	paths := map[string]bool{}
	for _, candidate := range []string{"aws", "/usr/bin/aws"} {
		if path, err := exec.LookPath(candidate); err == nil {
			paths[path] = true
		}
	}
	if len(paths) == 0 {
		t.Skip("no aws CLI is installed: apt-get install awscli")
	}
	var all []cli
	for path := range paths {
		all = append(all, installed(t, path), ours(t, path))
	}
	return all
}

// installed finds berth by the environment alone, or by --endpoint-url where it is
// older than AWS_ENDPOINT_URL: Debian's is.
func installed(t *testing.T, path string) cli {
	version := version(t, path)
	return cli{nameOf(version), version, func(ctx context.Context, args ...string) *exec.Cmd {
		if strings.HasPrefix(version, "aws-cli/2.9.") {
			args = append([]string{"--endpoint-url", here.Vars["AWS_ENDPOINT_URL"]}, args...)
		}
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = here.Environ()
		return cmd
	}}
}

// ours is `berth aws` where this CLI is the first on the PATH.
func ours(t *testing.T, path string) cli {
	version := version(t, path)
	return cli{"berth aws with " + nameOf(version), version, func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := here.Command(ctx, append([]string{"aws", "--data", here.Data}, args...)...)
		cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
		return cmd
	}}
}

// nameOf reads "aws-cli/2.9.19 Python/3.11.2 ...".
func nameOf(version string) string {
	name, _, _ := strings.Cut(version, " ")
	return strings.ReplaceAll(name, "/", " ")
}

func version(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command(path, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// says runs the command line and returns what it prints.
func (c cli) says(t *testing.T, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := c.run(t.Context(), args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", c.name, strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// TestCommandLines takes a task through its life with the aws CLI.
//
// Proves 2.0, 3A.3, 7.5.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	for _, c := range clis(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			arn := here.register(t, onEC2(sh("app", "trap 'exit 4' TERM; echo ready to go; while :; do usleep 20000; done")))
			task := c.says(t, "ecs", "run-task", "--task-definition", arn, "--query", "tasks[0].taskArn", "--output", "text")
			t.Cleanup(func() { here.halt(t, task, nil) })
			c.says(t, "ecs", "wait", "tasks-running", "--tasks", task)
			if got := c.says(t, "ecs", "describe-tasks", "--tasks", task, "--query", "tasks[0].[lastStatus,launchType,containers[0].name]", "--output", "text"); got != "RUNNING\tEC2\tapp" {
				t.Errorf("%q", got)
			}
			here.printed(t, task, "app", "ready to go")
			if got := c.says(t, "logs", "filter-log-events", "--log-group-name", logGroup, "--log-stream-names", "t/app/"+id(task), "--filter-pattern", "ready", "--query", "events[].message", "--output", "text"); got != "ready to go" {
				t.Errorf("%q", got)
			}
			c.says(t, "ecs", "stop-task", "--task", task, "--reason", "seen enough")
			c.says(t, "ecs", "wait", "tasks-stopped", "--tasks", task)
			if got := c.says(t, "ecs", "describe-tasks", "--tasks", task, "--query", "tasks[0].[lastStatus,stopCode,stoppedReason,containers[0].exitCode]", "--output", "text"); got != "STOPPED\tUserInitiated\tseen enough\t4" {
				t.Errorf("%q", got)
			}
			if len(c.says(t, "ecr", "get-login-password")) < 20 {
				t.Error("no password")
			}
		})
	}
}

// Proves 3A.3.
func TestLogsTailFollow(t *testing.T) {
	t.Parallel()
	for _, c := range clis(t) {
		if !strings.HasPrefix(c.version, "aws-cli/2") {
			t.Logf("%s has no logs tail: version 2 has", c.name)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			arn := here.run(t, onEC2(sh("app", "n=0; while :; do echo line $n; n=$((n+1)); sleep 1; done")))
			here.printed(t, arn, "app", "line 0")
			tail := c.run(t.Context(), "logs", "tail", logGroup, "--follow", "--log-stream-names", "t/app/"+id(arn), "--format", "short")
			var out safeBuffer
			tail.Stdout, tail.Stderr = &out, &out
			if err := tail.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = tail.Process.Kill()
				_ = tail.Wait()
			}()
			eventually(t, "later lines in logs tail", func() bool {
				return strings.Contains(out.String(), "line 0") && strings.Contains(out.String(), "line 4")
			})
		})
	}
}

// TestBoto3 runs testdata/life.py, which takes a task through its life.
func TestBoto3(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("python3", "-c", "import boto3").CombinedOutput(); err != nil {
		t.Skipf("no boto3: apt-get install python3-boto3: %s", out)
	}
	cmd := exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "life.py"), shell)
	cmd.Env = here.Environ()
	out, err := cmd.CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "EssentialContainerExited 7 ['hello from boto3']" {
		t.Errorf("%v: %s", err, got)
	}
}

// TestSDK asks what only services beside ECS answer; everything else here is the
// SDK too.
func TestSDK(t *testing.T) {
	t.Parallel()
	out, err := ecr.NewFromConfig(here.config()).GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil || !strings.HasPrefix(string(token), "AWS:") {
		t.Errorf("token %q: %v", token, err)
	}
	arn := here.run(t, onEC2(sh("app", "echo found by the filter")))
	here.stopped(t, arn)
	found, err := here.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(logGroup), FilterPattern: aws.String(`"by the filter"`), LogStreamNamePrefix: aws.String("t/app/" + id(arn)),
	})
	if err != nil || len(found.Events) != 1 || *found.Events[0].Message != "found by the filter" {
		t.Errorf("%s %v", shown(found), err)
	}
}

// TestNamesOfECR runs an image by the name that it has in AWS.
//
// Proves 3A.4.
func TestNamesOfECR(t *testing.T) {
	t.Parallel()
	const name = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/web:7"
	file := filepath.Join(t.TempDir(), "one.tar")
	if err := images.Write(file, images.Image{Names: []string{"web:1"}, Config: images.Config{Cmd: []string{"/bin/busybox", "echo", "by its name"}}, Files: busybox(t)}); err != nil {
		t.Fatal(err)
	}
	if out, err := here.Command(t.Context(), "image", "load", file, name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := here.prints(t, onEC2(container("app", name))); got != "by its name" {
		t.Errorf("%q", got)
	}
}

// busybox are the files of the image of that name.
func busybox(t *testing.T) []images.File {
	t.Helper()
	image, err := images.Busybox(shell)
	if err != nil {
		t.Fatal(err)
	}
	return image.Files
}
