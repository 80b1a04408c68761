package volume_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/runtime"
	"github.com/berthhq/berth/agent/volume"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

func TestMounts(t *testing.T) {
	dir, host := t.TempDir(), t.TempDir()
	v, err := volume.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := &task.Order{ID: "t1", Volumes: []workload.Volume{
		{Name: "host", Host: &workload.HostVolume{SourcePath: host + "/made"}},
		{Name: "scratch", Host: &workload.HostVolume{}},
		{Name: "common", Docker: &workload.DockerVolume{Scope: "shared", Autoprovision: new(true)}},
	}, Containers: []task.OrderContainer{
		{Container: workload.Container{Name: "a", MountPoints: []workload.MountPoint{
			{SourceVolume: "host", ContainerPath: "/h", ReadOnly: new(true)}, {SourceVolume: "scratch", ContainerPath: "/s"},
		}, Linux: &workload.LinuxParameters{Tmpfs: []workload.Tmpfs{{ContainerPath: "/t", Size: 2, MountOptions: []string{"noexec"}}}}}},
		{Container: workload.Container{Name: "b", MountPoints: []workload.MountPoint{{SourceVolume: "common", ContainerPath: "/s"}},
			VolumesFrom: []workload.VolumeFrom{{SourceContainer: "a", ReadOnly: new(true)}}}},
	}}
	if err := v.Prepare(o); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]runtime.Mount{
		"a": {
			{Kind: runtime.Bind, Source: host + "/made", Target: "/h", ReadOnly: true},
			{Kind: runtime.Bind, Source: dir + "/tasks/t1/scratch", Target: "/s", Fill: true},
			{Kind: runtime.Tmpfs, Target: "/t", Size: 2 << 20, Options: []string{"noexec"}},
		},
		"b": {
			{Kind: runtime.Bind, Source: dir + "/shared/common", Target: "/s", Fill: true},
			{Kind: runtime.Bind, Source: host + "/made", Target: "/h", ReadOnly: true},
		},
	} {
		got, err := v.Mounts(o, name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v %v", name, got, err)
		}
		for _, m := range got {
			if _, err := os.Stat(m.Source); m.Kind == runtime.Bind && err != nil {
				t.Error(err)
			}
		}
	}
	if err := v.Release("t1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/tasks/t1"); !os.IsNotExist(err) {
		t.Errorf("the task's own volume is left: %v", err)
	}
	for _, stays := range []string{dir + "/shared/common", host + "/made"} {
		if _, err := os.Stat(stays); err != nil {
			t.Error(err)
		}
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "berth")
	link := filepath.Join(dir, "link")
	if err := os.Mkdir(secret, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	v, err := volume.Open(filepath.Join(dir, "volumes"), append(volume.Sensitive(), secret)...)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		secret: "cannot be mounted", secret + "/x": "cannot be mounted", link + "/x/y": "cannot be mounted", dir: "cannot be mounted",
		"/": "cannot be mounted", "/etc": "cannot be mounted", "/etc/../etc/passwd": "cannot be mounted", "/run/docker.sock": "cannot be mounted",
		"/var/run/docker.sock": "cannot be mounted", "relative": "not an absolute path",
	} {
		o := &task.Order{ID: "t", Volumes: []workload.Volume{{Name: "v", Host: &workload.HostVolume{SourcePath: path}}}}
		if err := v.Prepare(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for name, vol := range map[string]workload.Volume{
		"EFS":           {Name: "v", EFS: &workload.EFSVolume{}},
		"autoprovision": {Name: "none", Docker: &workload.DockerVolume{Scope: "shared"}},
		"driver":        {Name: "v", Docker: &workload.DockerVolume{Scope: "task", Driver: "rexray"}},
	} {
		if err := v.Prepare(&task.Order{ID: "t", Volumes: []workload.Volume{vol}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
