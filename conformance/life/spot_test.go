package life_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// providers gives the default cluster capacity providers.
func (b *berth) providers(t *testing.T, names ...string) {
	t.Helper()
	if _, err := b.ecs.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: names, DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{},
	}); err != nil {
		t.Fatal(err)
	}
}

// by runs a task by a capacity provider.
func by(provider string) func(*ecs.RunTaskInput) {
	return func(in *ecs.RunTaskInput) {
		in.LaunchType, in.CapacityProviderStrategy = "", []types.CapacityProviderStrategyItem{{CapacityProvider: &provider}}
	}
}

// stubborn says that it was told to stop, and does not.
func stubborn() types.ContainerDefinition {
	c := sh("app", "trap 'echo warned' TERM; echo up; while :; do usleep 20000; done")
	c.StopTimeout = aws.Int32(3)
	return c
}

// interrupted holds a task against what AWS says of interrupted ones: it was told,
// had its stop timeout, and was killed then.
func (b *berth) interrupted(t *testing.T, arn string) {
	t.Helper()
	end := b.stopped(t, arn)
	if end.StopCode != types.TaskStopCodeSpotInterruption || aws.ToString(end.StoppedReason) != "Your Spot Task was interrupted." || exited(t, end, "app") != 137 {
		t.Error(summary(end))
	}
	if took := end.StoppedAt.Sub(*end.StoppingAt).Seconds(); took < 3 || took > 25 {
		t.Errorf("stopping took %.1f s of the 3 it may", took)
	}
	b.printed(t, arn, "app", "warned")
}

// TestSpotGivesWay fills a machine with Spot tasks. One on demand takes the place of
// the newest, and none on Spot takes the place of another.
func TestSpotGivesWay(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--cpu", "1024", "--memory", "1024")
	b.providers(t, "FARGATE", "FARGATE_SPOT")

	older := b.run(t, onFargate(stubborn()), by("FARGATE_SPOT"))
	b.printed(t, older, "app", "up")
	newer := b.run(t, onFargate(stubborn()), by("FARGATE_SPOT"))
	b.printed(t, newer, "app", "up")
	late := b.run(t, onFargate(stubborn()), by("FARGATE_SPOT"))

	demand := b.run(t, onFargate(patient("app")), by("FARGATE"))
	b.interrupted(t, newer)
	if got := b.running(t, demand); aws.ToString(got.CapacityProviderName) != "FARGATE" {
		t.Error(summary(got))
	}
	for arn, want := range map[string]string{older: "RUNNING", late: "PROVISIONING"} {
		if got := b.describe(t, arn); aws.ToString(got.LastStatus) != want || aws.ToString(got.CapacityProviderName) != "FARGATE_SPOT" {
			t.Errorf("wanted %s: %s", want, summary(got))
		}
	}
}

func TestBerthSpotInterrupt(t *testing.T) {
	t.Parallel()
	here.providers(t, "FARGATE", "FARGATE_SPOT")
	spot, demand := here.run(t, onFargate(stubborn()), by("FARGATE_SPOT")), here.run(t, onFargate(patient("app")), by("FARGATE"))
	here.printed(t, spot, "app", "up")
	if code, out, errs := here.says(t, "spot", "interrupt", id(spot)); code != 0 || strings.TrimSpace(out) != spot {
		t.Errorf("%d %q %q", code, out, errs)
	}
	here.interrupted(t, spot)
	for what, words := range map[string][]string{
		"does not run on Fargate Spot": {"interrupt", demand}, "not found": {"interrupt", strings.Repeat("0", 32)}, "usage: berth spot": {"interrupt"},
	} {
		if code, _, errs := here.says(t, append([]string{"spot"}, words...)...); code == 0 || !strings.Contains(errs, what) {
			t.Errorf("%v: %d %q", words, code, errs)
		}
	}
}
