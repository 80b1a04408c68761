package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/host"
	"github.com/berthhq/berth/host/hostsfile"
	"github.com/berthhq/berth/plane/history"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/plane/registry"
	"github.com/berthhq/berth/server"
	"github.com/berthhq/berth/supervisor"
)

// upFlags are what `berth up` takes; see the command-line contract in the README.
type upFlags struct {
	data, listen, region, account string
	bare, keepTasks, privileged   bool
	cpu, memory                   int
	keepStopped                   time.Duration
	hooks                         hookFlags
	engines                       engineFlags
	config                        config
	provider                      string // capacity provider of this machine
	logLevel                      string
	hosts                         string // file
	imds                          imds
	providers                     ranges // of identity providers on this machine
}

func parseUp(args []string) (*upFlags, error) {
	u := &upFlags{hooks: hookFlags{}}
	fs, data := flags("up")
	fs.StringVar(&u.listen, "listen", "127.0.0.1:4566", "address of the APIs")
	fs.StringVar(&u.region, "region", "us-east-1", "home region; any region is served")
	fs.StringVar(&u.account, "account", "000000000000", "account id, twelve digits")
	fs.BoolVar(&u.bare, "bare", false, "begin with an account as AWS hands it out: no cluster, no instance")
	fs.BoolVar(&u.keepTasks, "keep-tasks", false, "leave tasks running when berth is stopped")
	fs.BoolVar(&u.privileged, "allow-privileged", false, "allow privileged tasks and pidMode host: they may do all that root may")
	fs.IntVar(&u.cpu, "cpu", 0, "CPU units to offer; 0 means all of the machine's")
	fs.IntVar(&u.memory, "memory", 0, "MiB of memory to offer; 0 means the machine's, less a reserve")
	fs.StringVar(&u.provider, "capacity-provider", "", "capacity provider that this machine belongs to, once its cluster has it")
	fs.DurationVar(&u.keepStopped, "keep-stopped", history.DefaultKeep, keepStoppedUsage)
	fs.Var(u.hooks, "hook", hookUsage)
	fs.StringVar(&u.hosts, "hosts-file", hostsfile.Path, "hosts file in which load balancers are named for this machine; empty means none")
	fs.Var(&u.providers, "identity-providers", providersUsage)
	u.imds.flags(fs)
	fs.Var(&u.engines, "engine", engineUsage)
	file := fs.String("config", "", "file with further settings (JSON)")
	fs.StringVar(&u.logLevel, "log-level", "info", "debug, info, warn or error")
	if err := parse(fs, args); err != nil {
		return nil, err
	}
	if len(u.account) != 12 || strings.Trim(u.account, "0123456789") != "" {
		return nil, misuse{fmt.Errorf("--account %q is not twelve digits", u.account)}
	}
	err := checkKeepStopped(u.keepStopped)
	if err != nil {
		return nil, err
	}
	if u.data, err = filepath.Abs(*data); err != nil {
		return nil, err
	}
	if u.config, err = readConfig(*file); err != nil {
		return nil, err
	}
	return u, u.addEngines()
}

// addEngines takes the engines of the file beside those of flags.
func (u *upFlags) addEngines() error {
	for _, text := range u.config.Engines {
		if err := u.engines.Set(text); err != nil {
			return misuse{err}
		}
	}
	return nil
}

// up starts all roles of this machine and keeps them until it is told to stop.
func up(ctx context.Context, args []string) error {
	u, err := parseUp(args)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(u.data, "run"), 0o700); err != nil {
		return err
	}
	lock, err := lockData(u.data)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := supervisor.WritePID(upPIDFile(u.data)); err != nil {
		return err
	}
	defer os.Remove(upPIDFile(u.data))
	sweepHosts(u.hosts)
	sup := &supervisor.Supervisor{Dir: filepath.Join(u.data, "run"), Log: logger(u.logLevel), Roles: u.roles()}
	crew, err := sup.Start(ctx)
	if err != nil {
		return errors.Join(err, crew.Stop())
	}
	fmt.Printf("berth is ready\n\n  endpoint     http://%s\n  credentials  %s\n\n  eval \"$(berth env --data %s)\"   then use aws, SDKs, Terraform as ever\n  berth aws --data %s ecs list-clusters\n", u.listen, client.EnvFile(u.data), u.data, u.data)
	<-ctx.Done()
	fmt.Println("stopping; all state is kept")
	if !u.keepTasks {
		stopTasks(u.data)
	}
	return errors.Join(crew.Stop(), leaveHosts(u.hosts, u.data))
}

// stopTasks stops the running tasks in order while the APIs still answer. A server
// that is just being started again is waited for.
func stopTasks(data string) {
	place, err := client.Find(data)
	if err == nil {
		err = poll(context.Background(), 3*time.Minute, func(ctx context.Context) error {
			var left server.QuietResponse
			err := client.New(place).Post(ctx, server.QuietPath, nil, &left)
			if err == nil && left.Tasks > 0 {
				err = fmt.Errorf("%d tasks have not stopped yet", left.Tasks)
			}
			return err
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth: tasks are left running:", err)
	}
}

func (u *upFlags) roles() []supervisor.Role {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	run := filepath.Join(u.data, "run")
	socket, objectSocket, token := filepath.Join(run, "storage.sock"), filepath.Join(run, "objects.sock"), filepath.Join(run, "agent.token")
	server := []string{
		self, "server", "--data", filepath.Join(u.data, "server"), "--listen", u.listen, "--region", u.region, "--account", u.account,
		"--storage", socket, "--objects", objectSocket, "--env", u.data, "--agent-token", token, "--keep-stopped", u.keepStopped.String(),
		"--log-level", u.logLevel,
	}
	server = append(append(server, u.hooks.args()...), u.engines.args()...)
	agent := []string{
		self, "agent", "--data", filepath.Join(u.data, "agent"), "--server", "http://" + u.listen, "--token", token, "--edge",
		"--cpu", strconv.Itoa(u.cpu), "--memory", strconv.Itoa(u.memory), "--fargate",
		"--fargate-cpu-overcommit", strconv.Itoa(u.config.Fargate.overcommit(4)), "--fargate-isolation", u.config.Fargate.isolation(), "--log-level", u.logLevel,
	}
	agent = append(agent, u.imds.args()...)
	if u.provider != "" {
		agent = append(agent, "--capacity-provider", u.provider)
	}
	if u.hosts != "" {
		agent = append(agent, "--hosts-file", u.hosts)
	}
	if u.privileged {
		agent = append(agent, "--allow-privileged")
	}
	if u.bare {
		server, agent = append(server, "--bare"), append(agent, "--no-ec2")
	}
	roles := []supervisor.Role{
		{Name: "storage", Args: []string{self, "storage", "--data", filepath.Join(u.data, "storage"), "--socket", socket, "--objects", objectSocket, "--log-level", u.logLevel}, Ready: func(ctx context.Context) error {
			return poll(ctx, time.Minute, func(ctx context.Context) error { return storageHealthy(ctx, socket, objectSocket) })
		}},
		{Name: "server", Args: server, Ready: func(ctx context.Context) error {
			return poll(ctx, 2*time.Minute, func(ctx context.Context) error { return u.healthy(ctx, "") })
		}, StopTimeout: 30 * time.Second},
	}
	edge := []string{
		self, "edge", "--data", filepath.Join(u.data, "edge"), "--agent", filepath.Join(u.data, "agent"), "--server", "http://" + u.listen,
		"--log-level", u.logLevel,
	}
	if len(u.providers) > 0 {
		edge = append(edge, "--identity-providers", u.providers.String())
	}
	return append(roles, supervisor.Role{Name: "agent", Args: agent, Ready: func(ctx context.Context) error {
		return poll(ctx, 2*time.Minute, func(ctx context.Context) error { return u.healthy(ctx, "?agents=1") })
	}, StopTimeout: 30 * time.Second}, supervisor.Role{Name: "edge", Args: edge, Ready: func(ctx context.Context) error {
		return poll(ctx, time.Minute, func(ctx context.Context) error { return edgeReady(ctx, filepath.Join(u.data, "edge")) })
	}})
}

// storageHealthy asks for images, and for objects where they are served.
func storageHealthy(ctx context.Context, images, things string) error {
	if err := registry.NewClient(images).Healthy(ctx); err != nil {
		return err
	}
	if _, err := objects.Installed(); err != nil {
		return nil // the storage role says so in its log
	}
	return objects.Healthy(ctx, things)
}

// healthy asks the server how it is; with ?agents=N it must hold that many sessions.
// It must be ours: another berth may have the address.
func (u *upFlags) healthy(ctx context.Context, query string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.listen+"/_berth/health"+query, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	var said struct {
		PID int `json:"pid"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		return err
	}
	if ours, _ := supervisor.Running(filepath.Join(u.data, "run", "server.pid")); said.PID != ours {
		return fmt.Errorf("another berth (pid %d) serves %s", said.PID, u.listen)
	}
	return nil
}

// poll asks until there is no error, the patience is over, or ctx is.
func poll(ctx context.Context, patience time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func upPIDFile(data string) string { return filepath.Join(data, "run", "up.pid") }

// lockData keeps a second `berth up` away from the data folder.
func lockData(data string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another `berth up` uses %s; stop it with `berth down --data %s`, or name another folder with --data", data, data)
	}
	return f, nil
}

// down stops the berth of a data folder; with --forget its state goes too.
func down(ctx context.Context, args []string) error {
	fs, data := flags("down")
	hosts := fs.String("hosts-file", hostsfile.Path, "hosts file in which load balancers were named; empty means none")
	forget := fs.Bool("forget", false, "also delete all state: images, logs, volumes, everything")
	if err := parse(fs, args); err != nil {
		return err
	}
	dir, err := filepath.Abs(*data)
	if err != nil {
		return err
	}
	if err := errors.Join(endUp(ctx, dir), endOrphans(dir), leaveHosts(*hosts, dir)); err != nil || !*forget {
		return err
	}
	return forgetData(ctx, dir)
}

// endUp ends the `berth up` of a data folder as its user would.
func endUp(ctx context.Context, dir string) error {
	pid, ok := supervisor.Running(upPIDFile(dir))
	if !ok {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	return poll(ctx, 5*time.Minute, func(context.Context) error {
		if _, ok := supervisor.Running(upPIDFile(dir)); ok {
			return fmt.Errorf("berth (pid %d) did not stop", pid)
		}
		return nil
	})
}

// endOrphans does what `berth up` does at its end where one was killed.
func endOrphans(dir string) error {
	sup := &supervisor.Supervisor{Dir: filepath.Join(dir, "run"), Log: logger("warn"), Roles: (&upFlags{data: dir}).roles()}
	crew := sup.Adopt()
	if crew.Empty() {
		return nil
	}
	lock, err := lockData(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, ok := supervisor.Running(filepath.Join(sup.Dir, "server.pid")); ok {
		stopTasks(dir)
	} else {
		fmt.Fprintln(os.Stderr, "berth down: no server runs, so tasks are left running; `berth up` takes them over")
	}
	return crew.Stop()
}

// forgetData deletes a data folder that is a berth's, with its mounts and what its
// agent made beside it.
func forgetData(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
		return fmt.Errorf("%s is not the data folder of a berth", dir)
	}
	if err := host.Forget(ctx, filepath.Join(dir, "agent"), logger("warn")); err != nil {
		return fmt.Errorf("remove the networks and mounts of the agent: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	lines := strings.Split(string(mounts), "\n")
	for _, line := range slices.Backward(lines) { // the innermost first
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			if err := syscall.Unmount(f[1], syscall.MNT_DETACH); err != nil {
				return fmt.Errorf("unmount %s: %w", f[1], err)
			}
		}
	}
	return os.RemoveAll(dir)
}
