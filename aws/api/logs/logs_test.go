package logs

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/plane/archive"
	"github.com/berthhq/berth/store"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// served is CloudWatch Logs on a socket, and the aws command line.
type served struct {
	*gatewaytest.Server
	commands io.Writer
	answers  *bufio.Scanner
}

// withCLI starts the aws command line as a process that runs many commands: it
// takes seconds to start.
func withCLI(t *testing.T) *served {
	t.Helper()
	if err := exec.Command("python3", "-c", "import awscli.clidriver").Run(); err != nil {
		t.Skip("the aws command line is not installed as a Python module: `pip install awscli`")
	}
	s := &served{Server: serve(t)}
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/cli.py")
	cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
		"AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret, "AWS_DEFAULT_REGION="+gatewaytest.Scope.Region)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	s.commands, s.answers = in, bufio.NewScanner(out)
	s.answers.Buffer(nil, 1<<20)
	return s
}

// serve runs CloudWatch Logs on a socket.
func serve(t testing.TB) *gatewaytest.Server {
	t.Helper()
	a, err := archive.Open(t.TempDir(), archive.Options{DiskUse: func() float64 { return 0 }})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	return serveArchive(t, a)
}

func serveArchive(t testing.TB, a *archive.Archive) *gatewaytest.Server {
	return gatewaytest.Start(t, func(store.Store) []gateway.Offer {
		api := New(a)
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
}

// cli runs aws logs and decodes what it printed. A failure's text is the error.
func cli(t *testing.T, s *served, args ...string) (out map[string]any, failure string) {
	t.Helper()
	line, err := json.Marshal(append([]string{"--endpoint-url", s.URL, "logs"}, args...))
	must(t, err)
	_, err = fmt.Fprintf(s.commands, "%s\n", line)
	must(t, err)
	if !s.answers.Scan() {
		t.Fatalf("aws logs %v: the command line ended: %v", args, s.answers.Err())
	}
	var answer struct {
		Stdout, Stderr string
		Code           int
	}
	must(t, json.Unmarshal(s.answers.Bytes(), &answer))
	if answer.Code != 0 {
		return nil, strings.TrimSpace(answer.Stderr)
	}
	if strings.TrimSpace(answer.Stdout) != "" {
		must(t, json.Unmarshal([]byte(answer.Stdout), &out))
	}
	return out, ""
}

// ok is cli where nothing may fail.
func ok(t *testing.T, s *served, args ...string) map[string]any {
	t.Helper()
	out, failure := cli(t, s, args...)
	if failure != "" {
		t.Fatalf("aws logs %s: %s", strings.Join(args, " "), failure)
	}
	return out
}

// refused is cli where AWS's error is wanted.
func refused(t *testing.T, s *served, want string, args ...string) {
	t.Helper()
	if _, failure := cli(t, s, args...); !strings.Contains(failure, want) {
		t.Errorf("aws logs %s: got %q, want %q", strings.Join(args, " "), failure, want)
	}
}

// pick names members by a path: pick(out, "logGroups", 0, "arn").
func pick(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// texts are the members of a list of structures.
func texts(list any, member string) string {
	l, _ := list.([]any)
	var out []string
	for _, v := range l {
		out = append(out, fmt.Sprint(pick(v, member)))
	}
	return strings.Join(out, " ")
}

const groupARN = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/app"

func TestGroupsWithTheCommandLine(t *testing.T) {
	s := withCLI(t)
	ok(t, s, "create-log-group", "--log-group-name", "/ecs/app", "--tags", "team=a,stage=dev")
	ok(t, s, "create-log-group", "--log-group-name", "/ecs/two", "--log-group-class", "INFREQUENT_ACCESS")
	ok(t, s, "create-log-group", "--log-group-name", "other")
	refused(t, s, "(ResourceAlreadyExistsException) when calling the CreateLogGroup operation: The specified log group already exists", "create-log-group", "--log-group-name", "other")
	refused(t, s, "(InvalidParameterException) when calling the CreateLogGroup operation: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", "create-log-group", "--log-group-name", "a b")
	refused(t, s, "(InvalidParameterException)", "create-log-group", "--log-group-name", "aws/x")

	out := ok(t, s, "describe-log-groups")
	want(t, texts(out["logGroups"], "logGroupName"), "/ecs/app /ecs/two other")
	g := pick(out, "logGroups", 0)
	want(t, pick(g, "arn"), groupARN+":*")
	want(t, pick(g, "logGroupArn"), groupARN)
	want(t, pick(g, "storedBytes"), 0)
	want(t, pick(g, "metricFilterCount"), 0)
	want(t, pick(g, "retentionInDays"), nil)
	want(t, pick(g, "logGroupClass"), "STANDARD")
	want(t, texts(ok(t, s, "describe-log-groups", "--log-group-name-prefix", "/ecs")["logGroups"], "logGroupName"), "/ecs/app /ecs/two")
	want(t, texts(ok(t, s, "describe-log-groups", "--log-group-name-pattern", "two")["logGroups"], "logGroupName"), "/ecs/two")
	want(t, texts(ok(t, s, "describe-log-groups", "--page-size", "1")["logGroups"], "logGroupName"), "/ecs/app /ecs/two other")
	refused(t, s, "The specified nextToken is invalid.", "describe-log-groups", "--no-paginate", "--next-token", "?!")

	ok(t, s, "put-retention-policy", "--log-group-name", "/ecs/app", "--retention-in-days", "7")
	want(t, pick(ok(t, s, "describe-log-groups"), "logGroups", 0, "retentionInDays"), 7)
	refused(t, s, "(InvalidParameterException)", "put-retention-policy", "--log-group-name", "/ecs/app", "--retention-in-days", "8")
	ok(t, s, "delete-retention-policy", "--log-group-name", "/ecs/app")
	want(t, pick(ok(t, s, "describe-log-groups"), "logGroups", 0, "retentionInDays"), nil)

	ok(t, s, "tag-resource", "--resource-arn", groupARN, "--tags", "stage=prod,new=x")
	want(t, ok(t, s, "list-tags-for-resource", "--resource-arn", groupARN)["tags"], "map[new:x stage:prod team:a]")
	ok(t, s, "untag-resource", "--resource-arn", groupARN, "--tag-keys", "new", "team")
	want(t, ok(t, s, "list-tags-log-group", "--log-group-name", "/ecs/app")["tags"], "map[stage:prod]")
	ok(t, s, "tag-log-group", "--log-group-name", "/ecs/app", "--tags", "b=1")
	ok(t, s, "untag-log-group", "--log-group-name", "/ecs/app", "--tags", "stage", "b")
	want(t, ok(t, s, "list-tags-for-resource", "--resource-arn", groupARN)["tags"], "map[]")

	ok(t, s, "put-log-group-deletion-protection", "--log-group-identifier", groupARN, "--deletion-protection-enabled")
	refused(t, s, "(ValidationException) when calling the DeleteLogGroup operation", "delete-log-group", "--log-group-name", "/ecs/app")
	ok(t, s, "put-log-group-deletion-protection", "--log-group-identifier", "/ecs/app", "--no-deletion-protection-enabled")
	ok(t, s, "delete-log-group", "--log-group-name", "/ecs/app")
	refused(t, s, "(ResourceNotFoundException) when calling the DeleteLogGroup operation: The specified log group does not exist.", "delete-log-group", "--log-group-name", "/ecs/app")
}

func TestEventsWithTheCommandLine(t *testing.T) {
	s := withCLI(t)
	ok(t, s, "create-log-group", "--log-group-name", "g")
	refused(t, s, "The specified log stream does not exist.", "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1")
	ok(t, s, "create-log-stream", "--log-group-name", "g", "--log-stream-name", "web/1")
	ok(t, s, "create-log-stream", "--log-group-name", "g", "--log-stream-name", "web/2")
	refused(t, s, "The specified log stream already exists", "create-log-stream", "--log-group-name", "g", "--log-stream-name", "web/2")

	now := time.Now().UnixMilli()
	events := func(messages ...string) string {
		var list []map[string]any
		for i, m := range messages {
			list = append(list, map[string]any{"timestamp": now + int64(i), "message": m})
		}
		text, err := json.Marshal(list)
		must(t, err)
		return string(text)
	}
	put := ok(t, s, "put-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--log-events", events("one", `{"status": 500}`, "three"))
	if pick(put, "nextSequenceToken") == nil || pick(put, "rejectedLogEventsInfo") != nil {
		t.Errorf("got %v", put)
	}
	ok(t, s, "put-log-events", "--log-group-name", "g", "--log-stream-name", "web/2", "--log-events", events("eins", "zwei ERROR"))
	refused(t, s, "(InvalidParameterException) when calling the PutLogEvents operation: Log events in a single PutLogEvents request must be in chronological order.",
		"put-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--log-events", `[{"timestamp":`+fmt.Sprint(now)+`,"message":"b"},{"timestamp":`+fmt.Sprint(now-1)+`,"message":"a"}]`)
	old := ok(t, s, "put-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--log-events", `[{"timestamp":1,"message":"old"}]`)
	want(t, pick(old, "rejectedLogEventsInfo"), "map[tooOldLogEventEndIndex:1]")
	future := ok(t, s, "put-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--log-events", `[{"timestamp":`+fmt.Sprint(now+3*3_600_000)+`,"message":"new"}]`)
	want(t, pick(future, "rejectedLogEventsInfo"), "map[tooNewLogEventStartIndex:0]")

	all := ok(t, s, "filter-log-events", "--log-group-name", "g")
	want(t, texts(all["events"], "message"), `one eins {"status": 500} zwei ERROR three`)
	want(t, texts(ok(t, s, "filter-log-events", "--log-group-name", "g", "--page-size", "2")["events"], "message"), `one eins {"status": 500} zwei ERROR three`)
	want(t, texts(ok(t, s, "filter-log-events", "--log-group-name", "g", "--filter-pattern", "{ $.status >= 500 }")["events"], "message"), `{"status": 500}`)
	want(t, texts(ok(t, s, "filter-log-events", "--log-group-identifier", "arn:aws:logs:eu-central-1:123456789012:log-group:g", "--log-stream-name-prefix", "web/2")["events"], "message"), "eins zwei ERROR")
	want(t, texts(ok(t, s, "filter-log-events", "--log-group-name", "g", "--log-stream-names", "web/1", "--start-time", fmt.Sprint(now+1), "--end-time", fmt.Sprint(now+2))["events"], "message"), `{"status": 500} three`)
	refused(t, s, "(InvalidParameterException) when calling the FilterLogEvents operation: Invalid filter pattern: Invalid character(s) in term 'a.b'", "filter-log-events", "--log-group-name", "g", "--filter-pattern", "a.b")
	refused(t, s, "(InvalidParameterException)", "filter-log-events", "--log-group-name", "g", "--log-stream-names", "web/1", "--log-stream-name-prefix", "w")

	page := ok(t, s, "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--limit", "2")
	want(t, texts(page["events"], "message"), `{"status": 500} three`)
	page = ok(t, s, "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--limit", "2", "--next-token", fmt.Sprint(page["nextBackwardToken"]))
	want(t, texts(page["events"], "message"), "one")
	first := ok(t, s, "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--start-from-head", "--end-time", fmt.Sprint(now+1))
	want(t, texts(first["events"], "message"), "one")
	end := fmt.Sprint(ok(t, s, "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--start-from-head")["nextForwardToken"])
	want(t, ok(t, s, "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--next-token", end)["nextForwardToken"], end)
	refused(t, s, "The specified nextToken is invalid.", "get-log-events", "--log-group-name", "g", "--log-stream-name", "web/1", "--next-token", "f/1/s")

	streams := ok(t, s, "describe-log-streams", "--log-group-name", "g", "--order-by", "LastEventTime", "--descending")
	want(t, texts(streams["logStreams"], "logStreamName"), "web/1 web/2")
	want(t, pick(streams, "logStreams", 0, "lastEventTimestamp"), float64(now+2))
	want(t, pick(streams, "logStreams", 0, "storedBytes"), 0)
	want(t, pick(streams, "logStreams", 0, "arn"), "arn:aws:logs:eu-central-1:123456789012:log-group:g:log-stream:web/1")
	refused(t, s, "(InvalidParameterException)", "describe-log-streams", "--log-group-name", "g", "--order-by", "LastEventTime", "--log-stream-name-prefix", "w")

	ok(t, s, "delete-log-stream", "--log-group-name", "g", "--log-stream-name", "web/1")
	want(t, texts(ok(t, s, "filter-log-events", "--log-group-name", "g")["events"], "message"), "eins zwei ERROR")
}

// TestBoto3 reads by its paginators and follows a live tail.
func TestBoto3(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: `apt-get install python3-boto3`")
	}
	s := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", "testdata/boto3_logs.py", s.URL, gatewaytest.Scope.Region, s.Root.ID, s.Root.Secret)
	cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
