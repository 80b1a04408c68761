package life_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func pair(name, value string) types.KeyValuePair {
	return types.KeyValuePair{Name: &name, Value: &value}
}

func mount(volume, path string) types.MountPoint {
	return types.MountPoint{SourceVolume: &volume, ContainerPath: &path}
}

// setting is one member of a container definition, and how a program finds it.
type setting struct {
	set    func(*types.ContainerDefinition)
	script string
	want   string
}

// common are settings that both launch types have.
var common = map[string]setting{
	"environment": {func(c *types.ContainerDefinition) {
		c.Environment = []types.KeyValuePair{pair("A", "1 'and' $2"), pair("PATH", "/bin:/more")}
	}, `echo "$A|$PATH"`, "1 'and' $2|/bin:/more"},
	"entryPoint": {func(c *types.ContainerDefinition) {
		c.EntryPoint, c.Command = []string{"sh", "-c", `echo "$0 $1"`}, []string{"one", "two"}
	}, "", "one two"},
	"user by name":      {func(c *types.ContainerDefinition) { c.User = aws.String("nobody") }, "id -u; id -g", "65534\n65534"},
	"user by number":    {func(c *types.ContainerDefinition) { c.User = aws.String("12:34") }, "id -u; id -g", "12\n34"},
	"working directory": {func(c *types.ContainerDefinition) { c.WorkingDirectory = aws.String("/tmp") }, "pwd", "/tmp"},
	"files": {func(c *types.ContainerDefinition) {
		c.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 512, HardLimit: 1024}}
	}, "ulimit -n; ulimit -H -n", "512\n1024"},
	"init": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{InitProcessEnabled: aws.Bool(true)}
	}, "test $$ -ne 1 && echo someone else is first", "someone else is first"},
	"dropped capability": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Drop: []string{"CHOWN"}}}
	}, "touch /tmp/x; chown 1:1 /tmp/x 2>/dev/null || echo may not", "may not"},
	"read-only root": {func(c *types.ContainerDefinition) { c.ReadonlyRootFilesystem = aws.Bool(true) }, "touch /x 2>/dev/null || echo read-only", "read-only"},
}

// ec2Only are settings that Fargate does not offer.
var ec2Only = map[string]setting{
	"hostname": {func(c *types.ContainerDefinition) { c.Hostname = aws.String("box") }, "hostname; grep -c box /etc/hosts", "box\n1"},
	"extra hosts": {func(c *types.ContainerDefinition) {
		c.ExtraHosts = []types.HostEntry{{Hostname: aws.String("db.test"), IpAddress: aws.String("10.9.8.7")}}
	}, "grep db.test /etc/hosts | tr -s '\t ' ' '", "10.9.8.7 db.test"},
	"shared memory": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{SharedMemorySize: aws.Int32(7)}
	}, "df -m /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2", "7"},
	"added capability": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Add: []string{"NET_ADMIN"}}}
	}, "ip link set lo mtu 1234 && cat /sys/class/net/lo/mtu", "1234"},
	"tmpfs": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{Tmpfs: []types.Tmpfs{{ContainerPath: aws.String("/fast"), Size: 9, MountOptions: []string{"noexec"}}}}
	}, "grep ' /fast ' /proc/mounts | grep -c noexec; df -m /fast | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2", "1\n9"},
	"system controls": {func(c *types.ContainerDefinition) {
		c.SystemControls = []types.SystemControl{{Namespace: aws.String("net.core.somaxconn"), Value: aws.String("77")}}
	}, "cat /proc/sys/net/core/somaxconn", "77"},
	"name servers": {func(c *types.ContainerDefinition) {
		c.DnsServers, c.DnsSearchDomains = []string{"10.1.1.1"}, []string{"inside.test"}
	}, "grep -v '^#' /etc/resolv.conf | sort", "nameserver 10.1.1.1\nsearch inside.test"},
	"devices": {func(c *types.ContainerDefinition) {
		c.LinuxParameters = &types.LinuxParameters{Devices: []types.Device{{HostPath: aws.String("/dev/fuse"), ContainerPath: aws.String("/dev/mine"), Permissions: []types.DeviceCgroupPermission{types.DeviceCgroupPermissionRead}}}}
	}, "(: < /dev/mine) && echo may read; (: > /dev/mine) 2>/dev/null || echo may not write", "may read\nmay not write"},
	"labels leave alone": {func(c *types.ContainerDefinition) { c.DockerLabels = map[string]string{"team": "a"} }, "echo fine", "fine"},
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, s := range common {
		t.Run(name+" on Fargate", func(t *testing.T) { s.check(t, onFargate) })
		t.Run(name+" on EC2", func(t *testing.T) { s.check(t, onEC2) })
	}
	for name, s := range ec2Only {
		t.Run(name, func(t *testing.T) { s.check(t, onEC2) })
	}
}

func (s setting) check(t *testing.T, on func(...types.ContainerDefinition) *definition) {
	t.Parallel()
	c := sh("app", s.script)
	s.set(&c)
	if got := here.prints(t, on(c)); got != s.want {
		t.Errorf("%q, want %q", got, s.want)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	c := sh("app", "echo nobody asked")
	c.Environment = []types.KeyValuePair{pair("KEPT", "kept"), pair("CHANGED", "before")}
	got := here.prints(t, onEC2(c), func(in *ecs.RunTaskInput) {
		in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
			Name: aws.String("app"), Command: []string{"sh", "-c", "echo $KEPT $CHANGED $NEW"},
			Environment: []types.KeyValuePair{pair("CHANGED", "after"), pair("NEW", "new")},
		}}}
	})
	if got != "kept after new" {
		t.Errorf("%q", got)
	}
}

// Proves docker-volumes-host.
func TestVolumes(t *testing.T) {
	t.Parallel()
	host := t.TempDir()
	if err := os.WriteFile(filepath.Join(host, "given"), []byte("by the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	readOnly := mount("host", "/look")
	readOnly.ReadOnly = aws.Bool(true)
	writer := sh("writer", "echo shared > /a/x; cp /host/given /host/copied; exec sleep 1000")
	writer.MountPoints = []types.MountPoint{mount("scratch", "/a"), mount("host", "/host")}
	reader := sh("reader", "until test -e /b/x -a -e /look/copied; do usleep 20000; done; cat /b/x /look/copied; touch /look/no 2>/dev/null || echo ' read-only'; test -e /a/x && cat /host/given")
	reader.MountPoints = []types.MountPoint{mount("scratch", "/b"), readOnly}
	reader.VolumesFrom = []types.VolumeFrom{{SourceContainer: aws.String("writer")}}
	d := onEC2(reader, writer)
	d.Volumes = []types.Volume{{Name: aws.String("scratch")}, {Name: aws.String("host"), Host: &types.HostVolumeProperties{SourcePath: &host}}}
	if got := here.prints(t, d); strings.Join(strings.Fields(got), " ") != "shared by the host read-only by the host" {
		t.Errorf("%q", got)
	}
}

func TestDockerVolumeOutlivesItsTask(t *testing.T) {
	t.Parallel()
	c := sh("app", "cat /kept/n; echo x >> /kept/n")
	c.MountPoints = []types.MountPoint{mount("kept", "/kept")}
	d := onEC2(c)
	d.Volumes = []types.Volume{{Name: aws.String("kept"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeShared, Autoprovision: aws.Bool(true)}}}
	here.stopped(t, here.run(t, d))
	if got := here.prints(t, d); got != "x" {
		t.Errorf("%q", got)
	}
}

func TestHostVolumesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{here.Data, filepath.Join(here.Data, "server"), "/etc", "/run/berth"} {
		c := sh("app", "ls /v")
		c.MountPoints = []types.MountPoint{mount("v", "/v")}
		d := onEC2(c)
		d.Volumes = []types.Volume{{Name: aws.String("v"), Host: &types.HostVolumeProperties{SourcePath: &path}}}
		if end := here.stopped(t, here.run(t, d)); end.StopCode != types.TaskStopCodeTaskFailedToStart {
			t.Errorf("%s: %s", path, summary(end))
		}
	}
}

func TestUnknownUser(t *testing.T) {
	t.Parallel()
	c := sh("app", "")
	c.User = aws.String("nobody-here")
	end := here.stopped(t, here.run(t, onEC2(c)))
	if reason := aws.ToString(end.StoppedReason); !strings.HasPrefix(reason, "CannotCreateContainerError: unable to find user nobody-here") {
		t.Errorf("%q", reason)
	}
}

// TestPrivileged has `berth up` refuse what would have the machine, unless it was
// told to allow it.
func TestPrivileged(t *testing.T) {
	t.Parallel()
	c := sh("app", "ls -d /proc/[0-9]* | wc -l")
	c.Privileged = aws.Bool(true)
	end := here.stopped(t, here.run(t, onEC2(c)))
	says(t, aws.ToString(end.StoppedReason), "--allow-privileged")
	d := onEC2(sh("app", "ls -d /proc/[0-9]* | wc -l"))
	d.PidMode = types.PidModeHost
	end = here.stopped(t, here.run(t, d))
	says(t, aws.ToString(end.StoppedReason), "--allow-privileged")
}

func TestAllowPrivileged(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--allow-privileged")
	c := sh("app", "mount -t tmpfs none /tmp && tr '\\0' '\\n' </proc/1/cmdline")
	c.Privileged = aws.Bool(true)
	d := onEC2(c)
	d.PidMode = types.PidModeHost
	arn := b.run(t, d)
	if end := b.stopped(t, arn); exited(t, end, "app") != 0 {
		t.Error(summary(end))
	}
	init, err := os.ReadFile("/proc/1/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	says(t, b.output(t, arn, "app"), string(bytes.TrimRight(bytes.ReplaceAll(init, []byte{0}, []byte("\n")), "\n")))
}

func TestSharedNamespaces(t *testing.T) {
	t.Parallel()
	writer := sh("writer", "echo shared > /dev/shm/x; exec sleep 1000")
	reader := sh("reader", "until test -e /dev/shm/x; do usleep 20000; done; cat /dev/shm/x; until ps | grep '[s]leep 1000' >/dev/null; do usleep 20000; done; echo seen")
	d := onEC2(reader, writer)
	d.PidMode, d.IpcMode = types.PidModeTask, types.IpcModeTask
	if got := here.prints(t, d); got != "shared\nseen" {
		t.Errorf("%q", got)
	}
}
