package runtime_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
)

func TestMain(m *testing.M) { runtimetest.Main(m) }

// run makes, starts and awaits a container and returns its end and output.
func run(t *testing.T, r *runtime.Runtime, c runtime.Container) (runtime.Exit, string) {
	t.Helper()
	out := begin(t, r, c)
	exit, err := r.Wait(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	return exit, read(t, out)
}

// begin makes and starts a container and returns the file its output goes to.
func begin(t *testing.T, r *runtime.Runtime, c runtime.Container) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), c.ID)
	c.Output = runtime.Output{File: out}
	if err := r.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func sh(id, image, script string) runtime.Container {
	return runtime.Container{ID: id, Image: image, Args: []string{"/bin/sh", "-c", script}}
}

func TestRunsAndTellsItsExit(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	before := time.Now()
	exit, out := run(t, r, sh("one", image, "echo out; echo err >&2; exit 7"))
	if exit.Code != 7 || exit.OOMKilled || exit.Lost || exit.At.Before(before) || exit.At.After(time.Now()) {
		t.Errorf("exit: %+v", exit)
	}
	if !strings.Contains(out, "out\n") || !strings.Contains(out, "err\n") || len(out) != 8 {
		t.Errorf("output: %q", out)
	}
	if _, err := r.Status(t.Context(), "one"); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("after delete: %v", err)
	}
}

func TestWhatAContainerSees(t *testing.T) {
	r := runtimetest.Open(t)
	image := runtimetest.Busybox(t, r)
	shared := t.TempDir()
	if err := os.WriteFile(filepath.Join(shared, "given"), []byte("from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		name   string
		change func(*runtime.Container)
		script string
		want   string
	}{
		{"root by default", nil, "id -u; echo $HOME; pwd", "0\n/root\n/\n"},
		{"named user", func(c *runtime.Container) { c.User = "app" }, "id -u; id -g; id -G; echo $HOME", "1000\n1000\n1000 2000\n/tmp\n"},
		{"user and group", func(c *runtime.Container) { c.User = "1234:extra" }, "id -u; id -g", "1234\n2000\n"},
		{"directory", func(c *runtime.Container) { c.Cwd = "/tmp" }, "pwd", "/tmp\n"},
		{"environment", func(c *runtime.Container) { c.Env = []string{"A=1", "A=2", "HOME=/x"} }, "echo $A $HOME", "2 /x\n"},
		{"own processes only", nil, "echo $$; test $(ls -d /proc/[0-9]* | grep -c .) -lt 6 && echo few", "1\nfew\n"},
		{"host name", func(c *runtime.Container) { c.Hostname = "web" }, "hostname", "web\n"},
		{"read-only root", func(c *runtime.Container) { c.ReadonlyRootfs = true }, "touch /x 2>/dev/null || echo refused", "refused\n"},
		{"writable root", nil, "touch /x && echo done", "done\n"},
		{"bind", func(c *runtime.Container) { c.Mounts = bind(shared, "/in", true) }, "cat /in/given; touch /in/x 2>/dev/null || echo refused", "from the host\nrefused\n"},
		{"writable bind", func(c *runtime.Container) { c.Mounts = bind(shared, "/in", false) }, "touch /in/made && echo done", "done\n"},
		{"tmpfs", func(c *runtime.Container) {
			c.Mounts = []runtime.Mount{{Kind: runtime.Tmpfs, Target: "/fast", Size: 1 << 20}}
		}, "dd if=/dev/zero of=/fast/x bs=1k count=2000 2>/dev/null; stat -c %s /fast/x", "1048576\n"},
		{"shared memory", func(c *runtime.Container) { c.ShmSize = 2 << 20 }, "dd if=/dev/zero of=/dev/shm/x bs=1k count=4000 2>/dev/null; stat -c %s /dev/shm/x", "2097152\n"},
		{"ulimit", func(c *runtime.Container) { c.Ulimits = []runtime.Ulimit{{Name: "nofile", Soft: 100, Hard: 200}} }, "ulimit -n; ulimit -Hn", "100\n200\n"},
		{"sysctl", func(c *runtime.Container) { c.Sysctls = map[string]string{"net.core.somaxconn": "77"} }, "cat /proc/sys/net/core/somaxconn", "77\n"},
		{"kernel files", nil, "touch /proc/sys/kernel/x 2>/dev/null || echo refused", "refused\n"},
		{"no raw devices", nil, "ls /dev/vda /dev/sda 2>/dev/null; echo end", "end\n"},
		{"device", func(c *runtime.Container) {
			c.Devices = []runtime.Device{{Host: "/dev/zero", Container: "/dev/nothing"}}
		}, "head -c3 /dev/nothing | tr '\\0' x", "xxx"},
		{"dropped capability", func(c *runtime.Container) { c.CapDrop = []string{"CHOWN"} }, "touch /x; busybox chown 5 /x 2>/dev/null || echo refused", "refused\n"},
		{"added capability", func(c *runtime.Container) { c.CapAdd = []string{"SYS_ADMIN"}; c.Unconfined = true }, "mount -t tmpfs x /tmp && echo mounted", "mounted\n"},
		{"no mounting", nil, "mount -t tmpfs x /tmp 2>/dev/null || echo refused", "refused\n"},
		{"privileged", func(c *runtime.Container) { c.Privileged = true }, "mount -t tmpfs x /tmp && echo mounted; ls /dev/vda /dev/loop-control 2>/dev/null | head -1 | grep -c .", "mounted\n1\n"},
		{"init is first", func(c *runtime.Container) { c.Init = true }, "test $$ -ne 1 && grep -c berth-init /proc/1/cmdline", "1\n"},
		{"host's processes", func(c *runtime.Container) { c.PID.Host = true }, "test $$ -ne 1 && echo yes", "yes\n"},
		{"only the loopback", nil, "ls /sys/class/net", "lo\n"},
		{"low port for anybody", func(c *runtime.Container) { c.User = "app" }, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := sh(fmt.Sprintf("seen-%d", i), image, c.script)
			spec.Env = []string{"PATH=/bin"}
			if c.change != nil {
				c.change(&spec)
			}
			if exit, out := run(t, r, spec); out != c.want {
				t.Errorf("got %q, want %q (exit %d)", out, c.want, exit.Code)
			}
		})
	}
}

func bind(source, target string, readOnly bool) []runtime.Mount {
	return []runtime.Mount{{Kind: runtime.Bind, Source: source, Target: target, ReadOnly: readOnly}}
}
