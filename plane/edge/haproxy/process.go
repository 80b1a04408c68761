package haproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// process is HAProxy in one node's namespace. Another takes its place when the
// configuration changes.
type process struct {
	Place
	enter   func(func() error) error // into the node's namespace
	log     *slog.Logger
	command *exec.Cmd
	ended   chan struct{}

	base    string            // what only a reload changes, of the configuration in force
	servers map[string]string // those in force, by "backend/server", with their settings
	leaving map[string]string // those in maintenance until they can be deleted
}

// apply puts a balancer in force: what is new about targets is told to the process,
// anything else needs a reload.
func (p *process) apply(f *balancer.Front, pools []balancer.Pool, files map[string][]byte) error {
	base, servers := Render(f, pools, p.Place, false)+contents(files), serversOf(pools, f)
	if p.base == base && p.alive() && p.change(servers) == nil {
		return nil
	}
	if err := p.write(Render(f, pools, p.Place, true), files); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	p.base, p.servers, p.leaving = base, servers, map[string]string{}
	return nil
}

// contents tells files apart by what is in them.
func contents(files map[string][]byte) (out string) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out += name + string(files[name])
	}
	return out
}

// serversOf are the servers of all backends, by "backend/server", with their settings.
func serversOf(pools []balancer.Pool, f *balancer.Front) map[string]string {
	led, all := map[string]bool{}, map[string]string{}
	for _, l := range f.Listeners {
		for _, g := range balancer.GroupsOf(l.Listener.Default) {
			led[g] = true
		}
		for _, r := range l.Rules {
			for _, g := range balancer.GroupsOf(r.Actions) {
				led[g] = true
			}
		}
	}
	for n := range pools {
		if !led[pools[n].Group.ARN] {
			continue
		}
		for t := range pools[n].Targets {
			p, at := &pools[n], &pools[n].Targets[t]
			all[name(n)+"/"+serverName(at)] = server(p, at, true)
			all[open(name(n))+"/"+serverName(at)] = server(p, at, false)
		}
	}
	return all
}

func (p *process) config() string { return filepath.Join(p.Dir, "haproxy.cfg") }

func (p *process) write(config string, files map[string][]byte) error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(p.config(), []byte(config), 0o600)
}

// start starts the process, or another in its place: listening sockets go from the old one
// to the new, which tells the old one to end when its connections have. A first one gets
// them from another edge's process of the node, if there is one. So nothing is lost that
// waits to be accepted.
func (p *process) start() error {
	if err := Installed(); err != nil {
		return err
	}
	if check, err := exec.Command(program, "-c", "-q", "-f", p.config()).CombinedOutput(); err != nil {
		return fmt.Errorf("haproxy does not take its configuration: %w: %s", err, check)
	}
	args, before := []string{"-f", p.config()}, p.worker()
	if p.alive() {
		args = append(args, "-x", p.control(), "-sf", strconv.Itoa(p.command.Process.Pid))
	} else if other := p.predecessor(); other != "" {
		args = append(args, "-x", other)
	}
	next := exec.Command(program, args...)
	next.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.enter(next.Start); err != nil {
		return fmt.Errorf("start haproxy: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := next.Wait(); err != nil {
			p.log.Warn("haproxy ended", "dir", p.Dir, "err", err)
		}
	}()
	if err := p.await(before, ended); err != nil {
		return errors.Join(err, next.Process.Kill())
	}
	p.command, p.ended = next, ended
	return os.WriteFile(filepath.Join(p.Dir, pidFile), []byte(strconv.Itoa(next.Process.Pid)), 0o600)
}

// predecessor is the control socket of another edge's process of the same node; empty
// where none answers.
func (p *process) predecessor() string {
	sockets, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(p.Dir)), "*", filepath.Base(p.Dir), filepath.Base(p.control())))
	for _, socket := range sockets {
		if socket != p.control() && workerAt(socket) != "" {
			return socket
		}
	}
	return ""
}

// worker is the process id of who answers now, as text; empty for none.
func (p *process) worker() string { return workerAt(p.control()) }

func workerAt(socket string) string {
	text, _ := tell(socket, "show info")
	_, after, _ := strings.Cut(text, "\nPid: ")
	id, _, _ := strings.Cut(after, "\n")
	return id
}

// sure is how many answers in a row must come from the new process: the old one may take
// a few while it closes its sockets.
const sure = 5

// await waits until another process answers than the one before.
func (p *process) await(before string, ended <-chan struct{}) error {
	deadline, tick := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for answers := 0; answers < sure; {
		select {
		case <-deadline:
			return fmt.Errorf("haproxy does not begin within %s", patience)
		case <-ended:
			return errors.New("haproxy ended at once")
		case <-tick.C:
		}
		if now := p.worker(); now != "" && now != before {
			answers++
		} else {
			answers = 0
		}
	}
	return nil
}

func (p *process) alive() bool {
	if p.command == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// change tells the process of targets that came, went or drain: what comes does before
// what goes.
func (p *process) change(servers map[string]string) error {
	for name, said := range servers {
		if err := p.put(name, said); err != nil {
			return err
		}
	}
	for name := range p.servers {
		if _, ok := servers[name]; !ok {
			if err := told(p.control(), "disable server "+name, ""); err != nil {
				return err
			}
			p.leaving[name] = p.servers[name]
			delete(p.servers, name)
		}
	}
	p.sweep()
	return nil
}

// put makes a server what is said of it.
func (p *process) put(name, said string) error {
	have, ok := p.servers[name]
	if !ok {
		have, ok = p.leaving[name]
	}
	if _, there := p.servers[name]; there && have == said {
		return nil
	}
	var commands []string
	switch {
	case !ok: // it begins disabled
		if err := told(p.control(), "add server "+name+" "+said, "New server registered"); err != nil {
			return err
		}
		commands = []string{"enable server " + name, "enable health " + name}
	case weightless(have) == weightless(said):
		commands = []string{"set weight " + name + " " + weight(said), "enable server " + name}
	default:
		return fmt.Errorf("server %s cannot change from %q to %q", name, have, said)
	}
	for _, c := range commands {
		if err := told(p.control(), c, ""); err != nil {
			return err
		}
	}
	delete(p.leaving, name)
	p.servers[name] = said
	return nil
}

// sweep deletes servers that left, once no connection is open to them; HAProxy refuses
// until then, and the next change tries again.
func (p *process) sweep() {
	for name := range p.leaving {
		if told(p.control(), "del server "+name, "Server deleted") == nil {
			delete(p.leaving, name)
		}
	}
}

func weight(settings string) string {
	if settings == weightless(settings) {
		return "1"
	}
	return "0"
}

// stop ends the process softly: it takes nothing new.
func (p *process) stop() {
	if p.alive() {
		_ = p.command.Process.Signal(syscall.SIGUSR1)
	}
}
