package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/berthhq/berth/plane/edge/flow"
	"github.com/berthhq/berth/plane/edge/haproxy"
)

// finding is one thing that berth needs of a host.
type finding struct {
	Need string `json:"need"`
	OK   bool   `json:"ok"`
	Why  string `json:"why"`
	Mend string `json:"mend,omitempty"` // the command that mends it
}

func doctorCommand(_ context.Context, args []string) error {
	fs, data := flags("doctor")
	output := fs.String("output", "table", "table or json")
	if err := parse(fs, args); err != nil {
		return err
	}
	findings := examine(*data)
	if *output == "json" {
		return json.NewEncoder(os.Stdout).Encode(findings)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	failed := 0
	for _, f := range findings {
		mark := "ok"
		if !f.OK {
			mark, failed = "LACKS", failed+1
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, f.Need, f.Why, f.Mend)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d things are missing", failed)
	}
	return nil
}

func examine(data string) []finding {
	beside, _ := os.Executable()
	beside = filepath.Dir(beside)
	return []finding{
		{Need: "root", OK: os.Geteuid() == 0, Why: "namespaces, mounts and cgroups", Mend: "run as root"},
		program("runc", "", "containers of the EC2 launch type", "apt-get install runc"),
		program("runsc", beside, "the sandbox of Fargate tasks", "make build"),
		program("containerd-shim-runc-v2", beside, "stands by each task", "make build"),
		exists("/sys/fs/cgroup", "limits of cpu and memory", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
		kernelHas("overlay", "/proc/filesystems", "image layers", "modprobe overlay"),
		exists("/proc/sys/net/netfilter", "port maps and NAT", "modprobe nf_tables nf_conntrack"),
		kernelHash(),
		haproxyHere(),
		exists("/dev/net", "task networks", "modprobe tun"),
		writable(data),
		program("aws", "", "`berth aws`; any other AWS client works too", "apt-get install awscli"),
	}
}

func program(name, dir, why, mend string) finding {
	_, err := exec.LookPath(name)
	if err != nil && dir != "" {
		_, err = os.Stat(filepath.Join(dir, name))
	}
	return finding{Need: name, OK: err == nil, Why: why, Mend: unless(err == nil, mend)}
}

func exists(p, why, mend string) finding {
	_, err := os.Stat(p)
	return finding{Need: p, OK: err == nil, Why: why, Mend: unless(err == nil, mend)}
}

func kernelHas(word, file, why, mend string) finding {
	text, _ := os.ReadFile(file)
	ok := strings.Contains(string(text), word)
	return finding{Need: word, OK: ok, Why: why, Mend: unless(ok, mend)}
}

// kernelHash tells whether connections can be spread over the targets of Network
// balancers, by trying it.
func kernelHash() finding {
	err := flow.Possible()
	return finding{Need: "nft_hash", OK: err == nil, Why: "Network Load Balancers", Mend: unless(err == nil, "modprobe nft_hash")}
}

// haproxyHere tells of HAProxy, which carries the load balancers that ask for it.
func haproxyHere() finding {
	why := "load balancers with the tag berth:engine = haproxy"
	version, err := haproxy.Version()
	if err == nil {
		why += "; this is " + version
	}
	return finding{Need: "haproxy", OK: err == nil, Why: why, Mend: unless(err == nil, haproxy.Mend)}
}

func writable(dir string) finding {
	err := os.MkdirAll(dir, 0o700)
	return finding{Need: dir, OK: err == nil, Why: "berth's state", Mend: unless(err == nil, "name another folder with --data")}
}

func unless(ok bool, mend string) string {
	if ok {
		return ""
	}
	return mend
}
