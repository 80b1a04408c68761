package logs

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plane/archive"
)

// cliV2 finds version 2 of the aws command line, which has `logs tail`.
func cliV2(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/aws", "/usr/local/bin/aws", "aws"} {
		if out, err := exec.Command(path, "--version").CombinedOutput(); err == nil && strings.HasPrefix(string(out), "aws-cli/2") {
			return path
		}
	}
	t.Skip("version 2 of the aws command line is not installed: `apt-get install awscli` on Debian")
	return ""
}

func TestFollowingWithTheCommandLine(t *testing.T) {
	path := cliV2(t)
	a, err := archive.Open(t.TempDir(), archive.Options{DiskUse: func() float64 { return 0 }})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	s := serveArchive(t, a)
	must(t, a.CreateGroup(gatewaytest.Scope, telemetry.Group{Name: "g"}))
	must(t, a.CreateStream(gatewaytest.Scope, "g", "web/1"))
	write := func(messages ...string) {
		var events []telemetry.Event
		for _, m := range messages {
			events = append(events, telemetry.Event{Timestamp: time.Now().UnixMilli(), Message: m})
		}
		_, err := a.Put(gatewaytest.Scope, "g", "web/1", events, nil)
		must(t, err)
	}
	write("one", "debug", "two")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--endpoint-url", s.URL, "logs", "tail", "g", "--follow", "--since", "10m", "--format", "short", "--filter-pattern=-debug")
	cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "PYTHONUNBUFFERED=1",
		"AWS_ACCESS_KEY_ID="+s.Root.ID, "AWS_SECRET_ACCESS_KEY="+s.Root.Secret, "AWS_DEFAULT_REGION="+gatewaytest.Scope.Region)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	for _, want := range []string{"one", "two", "three", "four"} {
		if want == "three" {
			write("three", "debug")
			write("four")
		}
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), " "+want) {
			t.Fatalf("got %q (%v), want %s", lines.Text(), lines.Err(), want)
		}
	}
}
