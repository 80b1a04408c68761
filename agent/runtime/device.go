package runtime

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// devices lists the nodes to make and what may be done with them. The OCI runtime
// adds the harmless ones (null, zero, random, tty, ...) by itself.
func devices(c *Container) ([]specs.LinuxDevice, []specs.LinuxDeviceCgroup, error) {
	if c.Privileged {
		nodes, err := allDevices()
		return nodes, []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}, err
	}
	rules := []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	var nodes []specs.LinuxDevice
	for _, d := range c.Devices {
		found, err := deviceNodes(d.Host, cmp.Or(d.Container, d.Host))
		if err != nil {
			return nil, nil, fmt.Errorf("device %s: %w", d.Host, err)
		}
		for _, n := range found {
			nodes = append(nodes, n)
			rules = append(rules, specs.LinuxDeviceCgroup{Allow: true, Type: n.Type, Major: &n.Major, Minor: &n.Minor, Access: cmp.Or(d.Access, "rwm")})
		}
	}
	return nodes, rules, nil
}

// deviceNodes describes one node, or all below a directory.
func deviceNodes(host, inside string) ([]specs.LinuxDevice, error) {
	host, err := filepath.EvalSymlinks(host)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(host)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		node, err := deviceNode(host, inside)
		return []specs.LinuxDevice{node}, err
	}
	var out []specs.LinuxDevice
	err = filepath.WalkDir(host, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeDevice == 0 {
			return err
		}
		rel, err := filepath.Rel(host, p)
		if err != nil {
			return err
		}
		node, err := deviceNode(p, filepath.Join(inside, rel))
		out = append(out, node)
		return err
	})
	return out, err
}

func deviceNode(host, inside string) (specs.LinuxDevice, error) {
	var st unix.Stat_t
	if err := unix.Stat(host, &st); err != nil {
		return specs.LinuxDevice{}, err
	}
	kind := ""
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		kind = "b"
	case unix.S_IFCHR:
		kind = "c"
	default:
		return specs.LinuxDevice{}, fmt.Errorf("%s is not a device", host)
	}
	mode := os.FileMode(st.Mode & 0o777)
	return specs.LinuxDevice{Path: inside, Type: kind, Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev)),
		FileMode: &mode, UID: &st.Uid, GID: &st.Gid}, nil
}

// allDevices are the host's, for a privileged container, without what each
// container has of its own.
func allDevices() ([]specs.LinuxDevice, error) {
	entries, err := os.ReadDir("/dev")
	if err != nil {
		return nil, err
	}
	var out []specs.LinuxDevice
	for _, e := range entries {
		switch e.Name() {
		case "pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts", ".udev":
			continue
		}
		if e.Type()&(os.ModeDevice|os.ModeDir) == 0 {
			continue
		}
		path := filepath.Join("/dev", e.Name())
		if nodes, err := deviceNodes(path, path); err == nil { // one that vanished meanwhile is no loss
			out = append(out, nodes...)
		}
	}
	return out, nil
}
