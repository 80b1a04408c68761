package life_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestAccountSettingsReachNewClusters has a berth of its own: the settings are all
// users'.
func TestAccountSettingsReachNewClusters(t *testing.T) {
	t.Parallel()
	b := ownBerth(t)
	if _, err := b.ecs.PutAccountSettingDefault(t.Context(), &ecs.PutAccountSettingDefaultInput{Name: types.SettingNameContainerInsights, Value: aws.String("enhanced")}); err != nil {
		t.Fatal(err)
	}
	made, err := b.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("observed")})
	if err != nil || aws.ToString(made.Cluster.Settings[0].Value) != "enhanced" {
		t.Errorf("%s %v", shown(made), err)
	}
	values := map[types.SettingName]string{}
	for pages := ecs.NewListAccountSettingsPaginator(b.ecs, &ecs.ListAccountSettingsInput{EffectiveSettings: true}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Settings {
			values[s.Name] = *s.Value
		}
	}
	for _, name := range types.SettingName("").Values() {
		if values[name] == "" {
			t.Errorf("%s has no effective value", name)
		}
	}
	if values[types.SettingNameContainerInsights] != "enhanced" || values[types.SettingNameTaskLongArnFormat] != "enabled" {
		t.Error(values)
	}
}

func TestAttributesFindInstances(t *testing.T) {
	t.Parallel()
	b := ownBerth(t)
	list, err := b.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil || len(list.ContainerInstanceArns) != 1 {
		t.Fatalf("%s %v", shown(list), err)
	}
	rack := types.Attribute{Name: aws.String("rack"), Value: aws.String("r 1"), TargetId: &list.ContainerInstanceArns[0]}
	if _, err := b.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{rack}}); err != nil {
		t.Fatal(err)
	}
	where := func(expression string) int {
		t.Helper()
		out, err := b.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{Filter: &expression})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ContainerInstanceArns)
	}
	if where("attribute:rack == 'r 1'") != 1 || where("attribute:rack == 'r 2'") != 0 || where("attribute:rack exists") != 1 {
		t.Error("filters do not see the attribute")
	}
	if _, err := b.ecs.DeleteAttributes(t.Context(), &ecs.DeleteAttributesInput{Attributes: []types.Attribute{rack}}); err != nil || where("attribute:rack exists") != 0 {
		t.Errorf("deleted: %v", err)
	}
}

func TestExecuteCommandTellsWhy(t *testing.T) {
	t.Parallel()
	exec := func(enabled bool) error {
		arn := here.run(t, onEC2(patient("app")), func(in *ecs.RunTaskInput) { in.EnableExecuteCommand = enabled })
		here.running(t, arn)
		_, err := here.ecs.ExecuteCommand(t.Context(), &ecs.ExecuteCommandInput{Task: &arn, Command: aws.String("sh"), Interactive: true})
		return err
	}
	invalid, away := new(types.InvalidParameterException), new(types.TargetNotConnectedException)
	if err := exec(false); !errors.As(err, &invalid) {
		t.Error(err)
	}
	if err := exec(true); !errors.As(err, &away) {
		t.Error(err)
	} else {
		says(t, away.ErrorMessage(), "internal error", "berth run")
	}
}
