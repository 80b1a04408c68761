package life_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// freeze stops the server's process where it is, until thaw.
func (b *berth) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	resp, err := http.Get("http://" + b.Listen + "/_berth/health")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct{ PID int }
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil || said.PID == 0 {
		t.Fatalf("%+v %v", said, err)
	}
	if err := syscall.Kill(said.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = func() { _ = syscall.Kill(said.PID, syscall.SIGCONT) } // harmless when repeated
	t.Cleanup(thaw)
	return thaw
}

// lines counts a container's lines, and tells the first and the last.
func (b *berth) lines(t *testing.T, arn, name string) (n int, first, last string) {
	t.Helper()
	in := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String(logGroup), LogStreamName: aws.String("t/" + name + "/" + id(arn)), StartFromHead: aws.Bool(true),
	}
	for {
		out, err := b.logs.GetLogEvents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			if n++; n == 1 {
				first = *e.Message
			}
			last = *e.Message
		}
		if aws.ToString(out.NextForwardToken) == aws.ToString(in.NextToken) {
			return n, first, last
		}
		in.NextToken = out.NextForwardToken
	}
}

// TestLogModes has containers print more than their buffer holds while nobody takes
// their logs: one goes on and loses lines, the other waits, as the account's default
// wants it, and loses none.
//
// Proves awslogs.
func TestLogModes(t *testing.T) {
	t.Parallel()
	b := ownBerth(t)
	if _, err := b.ecs.PutAccountSettingDefault(t.Context(), &ecs.PutAccountSettingDefaultInput{Name: types.SettingNameDefaultLogDriverMode, Value: aws.String("blocking")}); err != nil {
		t.Fatal(err)
	}
	const lines = 120_000 // of 100 bytes: more than the 10 MiB that a buffer has by default
	host := t.TempDir()
	prints := func(name string) types.ContainerDefinition {
		c := sh(name, fmt.Sprintf("echo first; until test -e /host/go; do usleep 20000; done; yes %s | head -n %d; echo last; touch /host/%s", strings.Repeat("x", 99), lines, name))
		c.MountPoints = []types.MountPoint{mount("host", "/host")}
		return c
	}
	drops := logging(prints("drops"), map[string]string{"mode": "non-blocking", "max-buffer-size": "64k"})
	d := onEC2(drops, prints("waits"))
	for i := range d.ContainerDefinitions {
		d.ContainerDefinitions[i].Essential = aws.Bool(i == 1)
	}
	d.Volumes = []types.Volume{{Name: aws.String("host"), Host: &types.HostVolumeProperties{SourcePath: &host}}}
	arn := b.run(t, d)
	b.printed(t, arn, "drops", "first")
	b.printed(t, arn, "waits", "first")
	done := func(name string) bool {
		_, err := os.Stat(filepath.Join(host, name))
		return err == nil
	}

	thaw := b.freeze(t)
	if err := os.WriteFile(filepath.Join(host, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the container that does not block to print all", func() bool { return done("drops") })
	<-time.After(2 * time.Second)
	if done("waits") {
		t.Error("the blocking container did not wait")
	}
	thaw()

	end := b.stopped(t, arn)
	if exited(t, end, "waits") != 0 || exited(t, end, "drops") != 0 {
		t.Error(summary(end))
	}
	if n, first, last := b.lines(t, arn, "waits"); n != lines+2 || first != "first" || last != "last" {
		t.Errorf("%d lines, %q to %q", n, first, last)
	}
	if n, first, _ := b.lines(t, arn, "drops"); n < 2 || n > lines/2 || first != "first" {
		t.Errorf("%d lines are left of the one that drops, from %q", n, first)
	}
}
