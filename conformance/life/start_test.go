package life_test

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAnAddressThatIsTaken: of another program, of another berth, of the same one.
func TestAnAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	fresh := filepath.Join(t.TempDir(), "data")
	for name, c := range map[string]struct{ data, listen, says string }{
		"another program":    {fresh + "1", other.Addr().String(), "--listen"},
		"another berth":      {fresh + "2", here.Listen, "--listen"},
		"the same folder":    {here.Data, here.Listen, "berth down"},
		"beyond the machine": {fresh + "3", "0.0.0.0:0", "beyond loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			soon, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var errs bytes.Buffer
			up := exec.CommandContext(soon, here.Program, "up", "--data", c.data, "--listen", c.listen)
			up.Stderr, up.Cancel = &errs, func() error { return up.Process.Signal(syscall.SIGTERM) }
			out, _ := up.Output() // its exit code is looked at
			lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
			if up.ProcessState.ExitCode() != 1 || strings.Contains(string(out), "ready") || !strings.Contains(lines[len(lines)-1], c.says) {
				t.Errorf("exit %d\n%s\n%s", up.ProcessState.ExitCode(), out, errs.String())
			}
		})
	}
}
