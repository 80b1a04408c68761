package life_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Proves 2B.2.
func TestFargateHasAKernelOfItsOwn(t *testing.T) {
	t.Parallel()
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	got := here.prints(t, onFargate(sh("app", "uname -r; dmesg | grep -ci gvisor")))
	if strings.Contains(got, strings.TrimSpace(string(kernel))) || strings.HasSuffix(got, "\n0") {
		t.Errorf("%q, on a host with kernel %s", got, kernel)
	}
}

// Proves 2B.2.
func TestFargateSeesNothingOfItsHost(t *testing.T) {
	t.Parallel()
	got := here.prints(t, onFargate(sh("app", "ls -d /proc/[0-9]* | wc -l; ls "+here.Data+" /work /var/lib 2>&1 | grep -vc 'No such'; ls /dev | grep -cE '^(sd|vd|nvme|kvm|mem$)'; exit 0")))
	processes, rest, _ := strings.Cut(got, "\n")
	if len(processes) > 1 || rest != "0\n0" {
		t.Errorf("%q", got)
	}
}

// TestTasksDoNotReachTheCloudUnderTheHost dials where clouds other than EC2 keep
// metadata of their machines.
func TestTasksDoNotReachTheCloudUnderTheHost(t *testing.T) {
	t.Parallel()
	addresses := []string{"168.63.129.16:80", "100.100.100.200:80"}
	for name, on := range everywhere {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := here.prints(t, on(container("app", probe, append([]string{"dial"}, addresses...)...)))
			if strings.Contains(got, "reached") || strings.Count(got, " missed: ") != len(addresses) {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestOnlyEC2TasksKnowTheirInstance asks 169.254.169.254, where we answer whatever is
// under the host.
func TestOnlyEC2TasksKnowTheirInstance(t *testing.T) {
	t.Parallel()
	machine := here.machine(t)
	for name, on := range everywhere {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := here.prints(t, on(container("app", probe, "instance")))
			if fargate := name == "Fargate"; fargate && !strings.HasPrefix(got, "no instance: ") || !fargate && got != machine {
				t.Errorf("%q on %s", got, machine)
			}
		})
	}
}

// machine is the id of the only instance.
func (b *berth) machine(t *testing.T) string {
	t.Helper()
	list, err := b.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil || len(out.ContainerInstances) != 1 {
		t.Fatalf("%s %v", shown(out), err)
	}
	return aws.ToString(out.ContainerInstances[0].Ec2InstanceId)
}

// Proves 2.0.
func TestOnlyEC2ShowsItsInstances(t *testing.T) {
	t.Parallel()
	list, err := here.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	if err != nil || len(list.ContainerInstanceArns) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	ec2, fargate := here.run(t, onEC2(patient("app"))), here.run(t, onFargate(patient("app")))
	if task := here.running(t, ec2); aws.ToString(task.ContainerInstanceArn) != list.ContainerInstanceArns[0] || task.LaunchType != types.LaunchTypeEc2 {
		t.Errorf("EC2: %s on %s", task.LaunchType, aws.ToString(task.ContainerInstanceArn))
	}
	if task := here.running(t, fargate); task.ContainerInstanceArn != nil || task.LaunchType != types.LaunchTypeFargate || aws.ToString(task.PlatformVersion) != "1.4.0" {
		t.Errorf("Fargate: %s", shown(task))
	}
	one, err := here.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil || len(one.ContainerInstances) != 1 || !one.ContainerInstances[0].AgentConnected || one.ContainerInstances[0].RunningTasksCount < 1 {
		t.Errorf("%s %v", shown(one), err)
	}
}

// refusedByFargate are changes that EC2 takes and Fargate does not.
var refusedByFargate = map[string]func(*definition){
	"privileged":   func(d *definition) { d.ContainerDefinitions[0].Privileged = aws.Bool(true) },
	"host network": func(d *definition) { d.NetworkMode = types.NetworkModeHost },
	"host volume": func(d *definition) {
		d.Volumes = []types.Volume{{Name: aws.String("v"), Host: &types.HostVolumeProperties{SourcePath: aws.String("/srv")}}}
	},
	"devices": func(d *definition) {
		d.ContainerDefinitions[0].LinuxParameters = &types.LinuxParameters{Devices: []types.Device{{HostPath: aws.String("/dev/null")}}}
	},
}

// Proves 2A.5.
func TestWhatFargateRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range refusedByFargate {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := onFargate(sh("app", ""))
			d.Family = aws.String("refused")
			change(d)
			_, err := here.ecs.RegisterTaskDefinition(t.Context(), d)
			if wrong := new(types.ClientException); !errors.As(err, &wrong) {
				t.Errorf("registered for Fargate: %v", err)
			}
			d.RequiresCompatibilities, d.Family = nil, nil
			arn := here.register(t, d)
			in := &ecs.RunTaskInput{TaskDefinition: &arn, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: &types.NetworkConfiguration{
				AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: here.subnets(t)},
			}}
			if d.NetworkMode == types.NetworkModeHost {
				in.NetworkConfiguration = nil
			}
			_, err = here.ecs.RunTask(t.Context(), in)
			if wrong := new(types.InvalidParameterException); !errors.As(err, &wrong) {
				t.Errorf("run on Fargate: %v", err)
			}
		})
	}
}
