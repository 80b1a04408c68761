package fleet

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// berth is the binary under test, built by `make build`.
var berth, _ = filepath.Abs("../../bin/berth")

// wire is what the machines hang on: a bridge in a namespace of its own.
type wire struct {
	t    *testing.T
	name string
	next int
}

func newWire(t *testing.T) *wire {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces")
	}
	w := &wire{t: t, name: fmt.Sprintf("bf%d", os.Getpid()), next: 1}
	w.namespace(w.name)
	w.ip("-n", w.name, "link", "add", "br0", "type", "bridge")
	w.ip("-n", w.name, "link", "set", "br0", "up")
	return w
}

func (w *wire) ip(args ...string) {
	w.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		w.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w *wire) namespace(name string) {
	w.ip("netns", "add", name)
	w.t.Cleanup(func() { w.ip("netns", "del", name) })
}

// machine is a host on the wire.
type machine struct {
	t       *testing.T
	space   string
	address string
	data    string
}

func (w *wire) machine() *machine {
	w.t.Helper()
	m := &machine{t: w.t, space: fmt.Sprintf("%s-%d", w.name, w.next), address: fmt.Sprintf("10.99.0.%d", w.next), data: w.t.TempDir()}
	w.next++
	w.namespace(m.space)
	w.ip("-n", w.name, "link", "add", m.space, "type", "veth", "peer", "name", "eth0", "netns", m.space)
	w.ip("-n", w.name, "link", "set", m.space, "master", "br0", "up")
	w.ip("-n", m.space, "addr", "add", m.address+"/24", "dev", "eth0")
	w.ip("-n", m.space, "link", "set", "eth0", "up")
	w.ip("-n", m.space, "link", "set", "lo", "up")
	w.ip("-n", m.space, "route", "add", "default", "via", "10.99.0.254")
	w.t.Cleanup(m.forget)
	return m
}

// forget takes the machine's files and mounts away.
func (m *machine) forget() {
	mounts, _ := os.ReadFile("/proc/self/mounts")
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if f := strings.Fields(lines[i]); len(f) > 1 && strings.HasPrefix(f[1], m.data) {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
		}
	}
}

// command is berth on the machine. Its mounts are this machine's: `ip netns exec`
// would hide the control groups.
func (m *machine) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--net=/run/netns/" + m.space, berth}, args...)...)
}

// start runs a role of berth until the test ends; what it says is shown when the
// test fails.
func (m *machine) start(args ...string) {
	m.t.Helper()
	cmd := m.command(args...)
	var said output
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its end is its own matter
		if m.t.Failed() {
			m.t.Logf("berth %s:\n%s", strings.Join(args, " "), said.String())
		}
	})
}

// run runs a berth command to its end and returns what it printed.
func (m *machine) run(args ...string) (string, error) {
	out, err := m.command(args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, err := m.run(args...)
	if err != nil {
		m.t.Fatalf("berth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// dial connects from the machine's network.
func (m *machine) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		var space *os.File
		if space, err = os.Open("/run/netns/" + m.space); err != nil {
			return
		}
		defer space.Close()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
		}
	}()
	<-done
	return conn, err
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until asks until the answer is yes.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatal("waited a minute for " + what)
		}
	}
}
