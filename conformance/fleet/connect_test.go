package fleet

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TestCallsCrossMachines has a task call a service by Service Connect whose tasks are on
// two machines, as members of the VPC's default security group.
func TestCallsCrossMachines(t *testing.T) {
	f := newFleet(t)
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "a")
	f.join("--cpu", "1024", "--memory", "1024", "--zone", "b")
	f.load("busybox:1")
	until(t, "two agents", func() bool { return len(f.instances()) == 2 })
	if _, err := f.ecs.UpdateCluster(t.Context(), &ecs.UpdateClusterInput{
		Cluster: aws.String("default"), ServiceConnectDefaults: &types.ClusterServiceConnectDefaultsRequest{Namespace: aws.String("fleet")},
	}); err != nil {
		t.Fatal(err)
	}
	def, err := f.ecs.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("called"), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String("busybox:1"), Command: []string{"sh", "-c", `hostname >/index.html; exec httpd -f -p 8080 -h /`}, Memory: aws.Int32(64),
			PortMappings: []types.PortMapping{{Name: aws.String("http"), ContainerPort: aws.Int32(8080), AppProtocol: types.ApplicationProtocolHttp}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("called"), TaskDefinition: def.TaskDefinition.TaskDefinitionArn, LaunchType: types.LaunchTypeEc2, DesiredCount: aws.Int32(2),
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: f.subnets()}},
		ServiceConnectConfiguration: &types.ServiceConnectConfiguration{Enabled: true, Services: []types.ServiceConnectService{
			{PortName: aws.String("http"), ClientAliases: []types.ServiceConnectClientAlias{{Port: aws.Int32(80), DnsName: aws.String("called")}}},
		}},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.explain("called", nil) })
	until(t, "a task on each machine", func() bool {
		s := f.service("called")
		return s.RunningCount == 2 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	for _, zone := range []string{"a", "b"} {
		in := f.inZone(zone, "caller-"+zone, `for i in $(seq 20); do wget -q -O - http://called/ || exit 1; done | sort | uniq | wc -l >/n; echo heard $(cat /n); [ $(cat /n) -eq 2 ]`)
		in.Tags = []types.Tag{{Key: aws.String("berth:service-connect"), Value: aws.String("fleet")}}
		wantExit0(t, f.run(in)[0])
	}
	f.end("called")
}
