package network_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/agent/network/space"
)

// TestAskAsChild is no test: it is the process of a host mode task, which asks
// the addresses in its environment and prints the answers.
func TestAskAsChild(t *testing.T) {
	addresses, ok := os.LookupEnv("BERTH_TEST_ASK")
	if !ok {
		t.Skip("only run as a child of TestHostTasksMeetOurMetadataOnly")
	}
	own, err := space.Own()
	check(t, err)
	defer own.Close()
	for address := range strings.SplitSeq(addresses, ",") {
		got, err := ask(own, "tcp", address, impatience)
		if err != nil {
			got = "none"
		}
		fmt.Printf("answer %s=%s\n", address, got)
	}
}

// askInGroup asks from a process of the control group.
func askInGroup(t *testing.T, m *machine, group string, addresses ...string) map[string]string {
	t.Helper()
	script := `echo $$ > "$0/cgroup.procs" && exec "$@"`
	cmd := exec.Command("/bin/sh", "-c", script, group, os.Args[0], "-test.run=^TestAskAsChild$", "-test.v")
	cmd.Env = append(os.Environ(), "BERTH_TEST_ASK="+strings.Join(addresses, ","))
	var out []byte
	check(t, m.Do(func() (err error) { out, err = cmd.CombinedOutput(); return err }))
	answers := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "answer "); ok {
			address, answer, _ := strings.Cut(rest, "=")
			answers[address] = answer
		}
	}
	return answers
}

func unified(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	check(t, err)
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[2] == "cgroup2" {
			return f[1]
		}
	}
	t.Skip("this machine has no cgroup v2 hierarchy, by which host mode tasks are known")
	return ""
}

func TestHostTasksMeetOurMetadataOnly(t *testing.T) {
	m := newMachine(t)
	name := "/berth-test-" + random() + "/tasks"
	path := filepath.Join(unified(t), name)
	check(t, os.MkdirAll(filepath.Join(path, "one"), 0o755))
	t.Cleanup(func() {
		for _, p := range []string{filepath.Join(path, "one"), path, filepath.Dir(path)} {
			if err := os.Remove(p); err != nil {
				t.Error(err)
			}
		}
	})
	for _, a := range []string{"169.254.169.254", "169.254.170.2", "168.63.129.16"} {
		give(t, links(t, m.world), "eth0", a+"/32")
	}
	serve(t, m.world, "tcp", ":80", "cloud")
	serve(t, m.Space, "tcp", "127.0.0.1:51679", "berth")
	cfg := m.config()
	serve(t, m.Space, "tcp", "127.0.0.1:5353", "names")
	serve(t, m.Space, "udp", "127.0.0.1:5353", "names")
	cfg.HostTasks = &network.HostTasks{Group: name, Resolver: netip.MustParseAddrPort("127.0.0.1:5353"), Redirects: map[netip.AddrPort]netip.AddrPort{
		netip.MustParseAddrPort("169.254.170.2:80"): netip.MustParseAddrPort("127.0.0.1:51679"),
	}}
	open(t, cfg)

	if got := askInGroup(t, m, filepath.Join(path, "one"), "169.254.169.253:53"); got["169.254.169.253:53"] != "names "+machineAddress {
		t.Errorf("a host mode task asked for names and got %v", got)
	}
	everywhere := []string{"169.254.170.2:80", "169.254.169.254:80", "168.63.129.16:80", worldAddress + ":80"}
	got := askInGroup(t, m, filepath.Join(path, "one"), everywhere...)
	want := map[string]string{
		"169.254.170.2:80": "berth " + machineAddress, "169.254.169.254:80": "none", "168.63.129.16:80": "none",
		worldAddress + ":80": "cloud " + machineAddress,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("a host mode task got %v, want %v", got, want)
	}
	for _, address := range everywhere { // the host's own traffic goes where it always went
		wantAnswer(t, m.Space, "tcp", address, "cloud "+machineAddress)
	}
}
