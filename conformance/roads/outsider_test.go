package roads_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"
)

// outsider is a task with an address of its own, from whose network a test may connect:
// a client that is not where the servers are.
type outsider struct {
	address string
	pid     int
}

func (b *berth) outsider(t *testing.T) *outsider {
	t.Helper()
	p, name := b.defaultVPC(t), "outsider-"+family(t)
	definition := b.register(t, serving(t, name, types.CompatibilityEc2))
	out, err := b.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: &definition, LaunchType: types.LaunchTypeEc2, NetworkConfiguration: p.network(b.group(t, p.vpc, name)),
	})
	if err != nil || len(out.Tasks) != 1 {
		t.Fatalf("%v %+v", err, out)
	}
	arn := *out.Tasks[0].TaskArn
	t.Cleanup(func() {
		if _, err := b.ecs.StopTask(after(t), &ecs.StopTaskInput{Task: &arn}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "the outsider to run", func() bool { return len(processes(t, name)) == 1 })
	described, err := b.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}})
	if err != nil {
		t.Fatal(err)
	}
	return &outsider{address: aws.ToString(described.Tasks[0].Containers[0].NetworkInterfaces[0].PrivateIpv4Address), pid: processes(t, name)[0]}
}

// processes are those of containers that serve under a name.
func processes(t *testing.T, name string) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file) // an error: it ended meanwhile
		if err != nil || !strings.HasPrefix(string(line), "/probe\x00serve\x00") || !strings.HasSuffix(string(line), "\x00"+name+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(file, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// askTCP is the address that the server saw.
func (o *outsider) askTCP(t *testing.T, address string) (seen string) {
	t.Helper()
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", o.pid))
		if err != nil {
			failed = err
			return
		}
		defer space.Close()
		if failed = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); failed == nil {
			seen, failed = dialTCP(address)
		}
	}()
	<-done
	if failed != nil {
		t.Fatal(failed)
	}
	return seen
}
