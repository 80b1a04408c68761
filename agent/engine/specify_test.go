package engine

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/image"
	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func TestSpecify(t *testing.T) {
	img := &image.Image{Config: image.Config{Entrypoint: []string{"/entry"}, Cmd: []string{"cmd"}, User: "app", WorkingDir: "/srv", StopSignal: "SIGQUIT"}}
	for _, c := range []struct {
		name string
		def  workload.Container
		show func(runtime.Container) any
		want any
	}{
		{"the image's program", workload.Container{}, args, []string{"/entry", "cmd"}},
		{"own command", workload.Container{Command: []string{"a", "b"}}, args, []string{"/entry", "a", "b"}},
		{"own entry point drops the image's command", workload.Container{EntryPoint: []string{"/x"}}, args, []string{"/x"}},
		{"both", workload.Container{EntryPoint: []string{"/x"}, Command: []string{"y"}}, args, []string{"/x", "y"}},
		{"user and directory", workload.Container{}, func(s runtime.Container) any { return s.User + s.Cwd + s.StopSignal }, "app/srvSIGQUIT"},
		{"own user", workload.Container{User: "1:2"}, func(s runtime.Container) any { return s.User }, "1:2"},
		{"no cpu is the least weight", workload.Container{}, func(s runtime.Container) any { return s.Resources.CPUShares }, 2},
		{"memory", workload.Container{CPU: 512, Memory: new(64), MemoryReservation: new(32)}, func(s runtime.Container) any { return s.Resources },
			runtime.Resources{CPUShares: 512, Memory: 64 << 20, Reservation: 32 << 20}},
		{"swap", workload.Container{Linux: &workload.LinuxParameters{MaxSwap: new(0), Swappiness: new(10)}}, func(s runtime.Container) any { return s.Resources },
			runtime.Resources{CPUShares: 2, Swap: new(int64(0)), Swappiness: new(10)}},
		{"linux", workload.Container{Linux: &workload.LinuxParameters{InitProcessEnabled: new(true), SharedMemorySize: new(128),
			Capabilities: &workload.Capabilities{Add: []string{"NET_ADMIN"}, Drop: []string{"ALL"}},
			Devices:      []workload.Device{{HostPath: "/dev/fuse", Permissions: []string{"read", "write"}}}}},
			func(s runtime.Container) any {
				return []any{s.Init, s.ShmSize, s.CapAdd, s.CapDrop, s.Devices}
			}, []any{true, int64(128 << 20), []string{"NET_ADMIN"}, []string{"ALL"}, []runtime.Device{{Host: "/dev/fuse", Access: "rw"}}}},
		{"gpu", workload.Container{}, func(s runtime.Container) any { return s.CDIDevices }, []string{"nvidia.com/gpu=GPU-1", "vendor.com/x=y"}},
		{"no new privileges", workload.Container{DockerSecurityOptions: []string{"no-new-privileges"}}, func(s runtime.Container) any { return s.NoNewPrivileges }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			oc := &task.OrderContainer{Container: c.def, GPUs: []string{"GPU-1", "vendor.com/x=y"}}
			s, err := specify(&task.Order{}, oc, img, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.show(s); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if _, err := specify(&task.Order{}, &task.OrderContainer{}, &image.Image{}, nil); err == nil {
		t.Error("made a container without a program")
	}
}

func args(s runtime.Container) any { return s.Args }

func TestHealthArguments(t *testing.T) {
	for _, c := range []struct{ command, want []string }{
		{[]string{"CMD", "/bin/check", "-x"}, []string{"/bin/check", "-x"}},
		{[]string{"CMD-SHELL", "test -e /x || exit 1"}, []string{"/bin/sh", "-c", "test -e /x || exit 1"}},
		{[]string{"exit 0"}, []string{"/bin/sh", "-c", "exit 0"}},
		{[]string{"NONE"}, nil},
		{nil, nil},
	} {
		if got := checkArguments(c.command); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.command, got, c.want)
		}
	}
}

// Each letter is a check a second after the one before: y passed, n did not. Below
// it stands the health after it: H, U, or ? for not known.
func TestHealthVerdicts(t *testing.T) {
	for _, c := range []struct {
		name, checks, want string
		retries            int
		startPeriod        time.Duration
	}{
		{"passes at once", "y", "H", 3, 0},
		{"fails three times", "nnn", "??U", 3, 0},
		{"recovers", "nnny", "??UH", 3, 0},
		{"a failure between", "ynny", "HHHH", 3, 0},
		{"stays healthy until retries are used up", "ynnn", "HHHU", 3, 0},
		{"starts slowly", "nnnnn", "????U", 2, 4 * time.Second},
		{"healthy in its start period, then not", "ynn", "HHU", 2, time.Minute},
	} {
		v, got := verdict{health: task.UnknownHealth}, ""
		for i, check := range c.checks {
			v = v.after(check == 'y', time.Duration(i+1)*time.Second, checkup{retries: c.retries, startPeriod: c.startPeriod})
			got += map[task.Health]string{task.Healthy: "H", task.Unhealthy: "U", task.UnknownHealth: "?"}[v.health]
		}
		if got != c.want {
			t.Errorf("%s: %s gave %s, want %s", c.name, c.checks, got, c.want)
		}
	}
}

func TestContainerIDs(t *testing.T) {
	a := containerID("0123456789abcdef0123456789abcdef", "web", 0)
	if a != containerID("0123456789abcdef0123456789abcdef", "web", 0) || len(a) != 43 {
		t.Errorf("%s", a)
	}
	seen := map[string]bool{a: true}
	for _, id := range []string{containerID("0123456789abcdef0123456789abcdef", "db", 0), containerID("0123456789abcdef0123456789abcdef", "web", 1), sandboxID("0123456789abcdef0123456789abcdef")} {
		if seen[id] {
			t.Errorf("%s twice", id)
		}
		seen[id] = true
	}
}
