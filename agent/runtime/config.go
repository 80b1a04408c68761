package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/runtime/gvisor"
	"github.com/berthhq/berth/agent/runtime/shim"
)

// Config says where a runtime lives and which programs it uses. Only Data must be
// given.
type Config struct {
	Data string // folder for images, layers and records

	// State holds what must not outlive a reboot: sockets, bundles. The path of a
	// socket in it may not exceed 107 bytes, so it is not below Data.
	// "/run/berth/<hash of Data>" when empty.
	State string
	// Group is the cgroup above all containers; "/berth/<hash of Data>" when empty.
	Group string

	// Programs. Each is looked for beside this program, then in the PATH.
	Shim   string // cmd/berth-shim; this program itself when there is none
	Init   string // cmd/berth-init
	OCI    string // runc, else crun
	GVisor string // runsc; stays empty when there is none
	// GVisorFront is cmd/berth-gvisor. Without it there is no GVisor.
	GVisorFront string

	Pulls int          // images fetched at once; 3 when 0
	Log   *slog.Logger // slog.Default when nil
}

func (c *Config) complete() error {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return err
	}
	c.Data = data
	sum := sha256.Sum256([]byte(data))
	name := hex.EncodeToString(sum[:4])
	if c.State == "" {
		c.State = "/run/berth/" + name
	}
	if c.Group == "" {
		c.Group = "/berth/" + name
	}
	if c.Pulls == 0 {
		c.Pulls = 3
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Init, c.GVisor = program(c.Init, InitName), program(c.GVisor, "runsc")
	if c.GVisorFront = program(c.GVisorFront, gvisor.Name); c.GVisorFront == "" {
		c.GVisor = ""
	}
	if c.OCI = program(c.OCI, "runc"); c.OCI == "" {
		c.OCI = program("", "crun")
	}
	if c.OCI == "" {
		return ErrNoOCIRuntime
	}
	return nil
}

// program finds an executable by name unless its path is given.
func program(given, name string) string {
	if given != "" {
		return given
	}
	if beside := besideUs(name); beside != "" {
		return beside
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

func besideUs(name string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	path := filepath.Join(filepath.Dir(self), name)
	if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 || info.IsDir() {
		return ""
	}
	return path
}

func (c *Config) bundleRoot() string   { return filepath.Join(c.Data, "containers", "tasks") }
func (c *Config) bundleState() string  { return filepath.Join(c.State, "tasks") }
func (c *Config) socketFolder() string { return filepath.Join(c.State, "s") }
func (c *Config) eventsSocket() string { return filepath.Join(c.State, "events") }
func (c *Config) tools() string        { return filepath.Join(c.Data, "containers", "bin") }

// prepareFolders makes the folders and puts the shim and the runsc starter there.
func (c *Config) prepareFolders() error {
	if err := c.forgetEarlierBoot(); err != nil {
		return err
	}
	for path, mode := range map[string]fs.FileMode{c.Data: 0o711, c.State: 0o711, c.bundleRoot(): 0o711, c.bundleState(): 0o711, c.socketFolder(): 0o700, c.tools(): 0o755} {
		if err := os.MkdirAll(path, mode); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.State, "boot"), []byte(bootID()), 0o644); err != nil {
		return err
	}
	if err := c.placeShim(); err != nil {
		return err
	}
	if c.GVisor == "" {
		return nil
	}
	return c.placeRunsc()
}

// forgetEarlierBoot drops the state of processes that a reboot ended. A state
// folder on a disk would otherwise tell of shims whose sockets lead nowhere.
func (c *Config) forgetEarlierBoot() error {
	was, err := os.ReadFile(filepath.Join(c.State, "boot"))
	if errors.Is(err, fs.ErrNotExist) || string(was) == bootID() {
		return nil
	}
	return removeFolder(c.State)
}

// removeFolder takes a folder away after all that is mounted in it: what lies
// beneath a mount that stays is not ours to delete.
func removeFolder(dir string) error {
	if err := mount.UnmountRecursive(dir, unix.MNT_DETACH); err != nil {
		return err
	}
	mounted, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return err
	}
	if len(mounted) > 0 {
		return fmt.Errorf("%s is still mounted", mounted[0].Mountpoint)
	}
	return os.RemoveAll(dir)
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// placeShim finds the shim, or makes this program one under its name.
func (c *Config) placeShim() error {
	if c.Shim == "" {
		c.Shim = besideUs(shim.Name)
	}
	if c.Shim != "" {
		return nil
	}
	c.Shim = filepath.Join(c.tools(), shim.Name)
	return linkOrCopy("/proc/self/exe", c.Shim)
}

// linkOrCopy replaces to. A program that is running keeps its own file.
func linkOrCopy(from, to string) error {
	real, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	if same(real, to) {
		return nil
	}
	fresh := to + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(real, fresh); err != nil {
		if err := copyProgram(real, fresh); err != nil {
			return err
		}
	}
	return os.Rename(fresh, to)
}

func same(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

func copyProgram(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// placeRunsc puts our front of runsc where the runc shim finds it, beside a link
// to the real one.
func (c *Config) placeRunsc() error {
	if err := linkOrCopy(c.GVisorFront, c.runsc()); err != nil {
		return err
	}
	link := filepath.Join(c.tools(), gvisor.RealName)
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(c.GVisor, link)
}

func (c *Config) runsc() string { return filepath.Join(c.tools(), "runsc") }
