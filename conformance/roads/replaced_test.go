package roads_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestPartsAreReplacedUnderLoad kills the control plane while a service scales, and has
// another edge take over; no request fails.
func TestPartsAreReplacedUnderLoad(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityEc2, 2, true)
	here.healthy(t, s.grpc, 2)
	people := crowd(t, s.node, "POST", "WebSocket", "gRPC")
	here.scale(t, s.service, 4)
	here.signal(t, "server", syscall.SIGKILL)
	here.answers(t)
	here.stable(t, s.service)
	before := here.pid(t, "edge")
	here.signal(t, "edge", syscall.SIGHUP)
	eventually(t, "another edge", func() bool { return here.pid(t, "edge") != before })
	here.scale(t, s.service, 1)
	here.stable(t, s.service)
	people.content(t)
}

// pid is that of a role of berth.
func (b *berth) pid(t *testing.T, role string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Data, "run", role+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func (b *berth) signal(t *testing.T, role string, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(b.pid(t, role), s); err != nil {
		t.Fatal(err)
	}
}

// answers waits until the control plane does.
func (b *berth) answers(t *testing.T) {
	t.Helper()
	eventually(t, "the control plane", func() bool {
		r, err := http.Get("http://" + b.Listen + "/_berth/health")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}
