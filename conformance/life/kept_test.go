package life_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestVolumesOutliveARestart has tasks add a line to a volume before and after berth
// was down: one that ran through it, and others anew.
func TestVolumesOutliveARestart(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--keep-tasks")
	keep := func(c types.ContainerDefinition) *definition {
		c.MountPoints = []types.MountPoint{mount("kept", "/kept")}
		d := onEC2(c)
		d.Volumes = []types.Volume{{Name: aws.String("kept"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{
			Scope: types.ScopeShared, Autoprovision: aws.Bool(true),
		}}}
		return d
	}
	b.stopped(t, b.run(t, keep(sh("app", "echo before >> /kept/n"))))
	through := b.run(t, keep(sh("app", "echo began >> /kept/n; echo up; until test -e /kept/go; do usleep 20000; done; echo through >> /kept/n")))
	b.printed(t, through, "app", "up")

	b.restart(t, "--keep-tasks")

	b.stopped(t, b.run(t, keep(sh("app", "echo after >> /kept/n; touch /kept/go"))))
	if end := b.stopped(t, through); exited(t, end, "app") != 0 {
		t.Error(summary(end))
	}
	if got := b.prints(t, keep(sh("app", "cat /kept/n"))); got != "before\nbegan\nafter\nthrough" {
		t.Errorf("%q", got)
	}
}
