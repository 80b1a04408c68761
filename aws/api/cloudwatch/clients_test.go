package cloudwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
)

// real is a server at the time it is: the clients sign with it.
func real(t *testing.T) *server {
	s := start(t)
	s.nanos.Store(time.Now().UnixNano())
	return s
}

// TestBoto3 runs one story in each protocol that CloudWatch has had.
func TestBoto3(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skip("boto3 is not installed: `apt-get install python3-boto3`")
	}
	for _, protocol := range []string{"query", "json", "smithy-rpc-v2-cbor"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := real(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "python3", "testdata/boto3_cloudwatch.py", s.URL, gatewaytest.Scope.Region, s.Root.ID, s.Root.Secret, protocol)
			cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 3 {
				t.Skip(string(out))
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

// TestCommandLines calls with those that are installed: Debian's is old and speaks
// query.
func TestCommandLines(t *testing.T) {
	s := real(t)
	ok := func(args ...string) string {
		t.Helper()
		out, errs, code := s.CLI(t, s.Root, append([]string{"cloudwatch"}, args...)...)
		if code != 0 {
			t.Fatalf("aws cloudwatch %s: %s", strings.Join(args, " "), errs)
		}
		return out
	}
	ok("put-metric-alarm", "--alarm-name", "a", "--namespace", "Web", "--metric-name", "Errors", "--statistic", "Sum", "--period", "10",
		"--evaluation-periods", "1", "--threshold", "1", "--comparison-operator", "GreaterThanOrEqualToThreshold")
	ok("put-metric-data", "--namespace", "Web", "--metric-name", "Errors", "--value", "3", "--storage-resolution", "1")
	ok("set-alarm-state", "--alarm-name", "a", "--state-value", "ALARM", "--state-reason", "test")
	var out struct {
		MetricAlarms []struct{ StateValue, StateReason string }
	}
	if err := json.Unmarshal([]byte(ok("describe-alarms", "--state-value", "ALARM", "--output", "json")), &out); err != nil || len(out.MetricAlarms) != 1 || out.MetricAlarms[0].StateReason != "test" {
		t.Errorf("%+v %v", out, err)
	}
	if _, errs, code := s.CLI(t, s.Root, "cloudwatch", "set-alarm-state", "--alarm-name", "b", "--state-value", "OK", "--state-reason", "r"); code == 0 || !strings.Contains(errs, "(ResourceNotFound)") {
		t.Errorf("%d %s", code, errs)
	}
}
