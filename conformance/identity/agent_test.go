package identity_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// instanceRole is that of the machine.
const instanceRole = "ecsInstanceRole"

// ofInstances is what AWS's policy for container instances lets their role do.
const ofInstances = "ec2:DescribeTags ecs:CreateCluster ecs:DeregisterContainerInstance ecs:DiscoverPollEndpoint ecs:Poll ecs:RegisterContainerInstance ecs:StartTelemetrySession ecs:UpdateContainerInstancesState ecs:Submit* ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents ecs:TagResource"

// lacking gives the machine's role all but one action.
func (b *berth) lacking(t *testing.T, action string) {
	t.Helper()
	b.permit(t, instanceRole, allow(strings.ReplaceAll(ofInstances, action+" ", ""), "*"))
}

// ownInstanceRole takes AWS's policy from the machine's role, which then may only what
// the test says.
func (b *berth) ownInstanceRole(t *testing.T) {
	t.Helper()
	b.lacking(t, "nothing")
	in := &iam.DetachRolePolicyInput{RoleName: aws.String(instanceRole), PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role")}
	if _, err := b.iam.DetachRolePolicy(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// machine is the only one.
func (b *berth) machine(t *testing.T) types.ContainerInstance {
	t.Helper()
	list, err := b.ecs.ListContainerInstances(t.Context(), nil)
	if err != nil || len(list.ContainerInstanceArns) != 1 {
		t.Fatalf("%s %v", shown(list), err)
	}
	out, err := b.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil || len(out.ContainerInstances) != 1 {
		t.Fatal(err)
	}
	return out.ContainerInstances[0]
}

func (b *berth) agentConnected(t *testing.T, want bool) {
	t.Helper()
	eventually(t, "another agentConnected", func() bool { return b.machine(t).AgentConnected == want })
}

// TestTheAgentMayWhatItsInstanceRoleMay takes ecs:Poll from the role of a machine, and
// gives it back. A task runs through all of it, and cannot read the instance's metadata,
// which is closed.
//
// Proves 2A.10, 3A.2.
func TestTheAgentMayWhatItsInstanceRoleMay(t *testing.T) {
	t.Parallel()
	b := ownBerth(t, "--block-imds")
	b.agentConnected(t, true)
	b.ownInstanceRole(t)
	task := b.run(t, privately("metadata meta-data/iam/info , whoami , wait"))
	if said := b.told(t, task, "metadata", "error: "); strings.Contains(said, "InstanceProfileArn") {
		t.Error(said)
	}
	b.told(t, task, "whoami", "error: ")
	b.linesWait(t, nil, func(actions string) {
		if strings.Contains(actions, "logs:PutLogEvents") {
			b.lacking(t, "nothing")
		} else {
			b.lacking(t, "logs:PutLogEvents")
		}
	})
	waiting := b.register(t, onEC2("whoami"))

	b.lacking(t, "ecs:Poll")
	t.Cleanup(func() { b.lacking(t, "nothing") }) // for who is to stop the task
	b.agentConnected(t, false)
	const reason = "is not authorized to perform: ecs:Poll on resource: "
	eventually(t, "the reason in the agent's log", func() bool {
		log, err := os.ReadFile(filepath.Join(b.Data, "run", "agent.log"))
		return err == nil && strings.Contains(string(log), reason)
	})
	out, err := b.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &waiting})
	if err != nil || len(out.Failures) != 1 || *out.Failures[0].Reason != "AGENT" || !strings.Contains(aws.ToString(out.Failures[0].Detail), reason) {
		t.Errorf("a task for a machine without its agent: %s %v", shown(out), err)
	}
	eventually(t, "the reason in berth why", func() bool {
		said, err := b.Command(t.Context(), "why", task).CombinedOutput()
		return err == nil && strings.Contains(string(said), "Its agent may have no session: ") && strings.Contains(string(said), reason)
	})
	if now := b.describe(t, task); *now.LastStatus != "RUNNING" {
		t.Errorf("its task did not run on: %s", summary(now))
	}

	b.lacking(t, "nothing")
	b.agentConnected(t, true)
	b.whoCalled(t)
}

// whoCalled finds the agent's calls in the audit, as its instance role's.
func (b *berth) whoCalled(t *testing.T) {
	t.Helper()
	out, err := b.Command(t.Context(), "audit", "log", "--principal", instanceRole, "--action", "ecs:SubmitTaskStateChange").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says(t, string(out), "assumed-role/"+instanceRole+"/", "ecs:SubmitTaskStateChange")
}

// TestLinesWaitUntilTheirRoleMayShipThem takes logs:PutLogEvents from the execution
// role of a running task.
func TestLinesWaitUntilTheirRoleMayShipThem(t *testing.T) {
	t.Parallel()
	role := here.role(t, "role")
	here.linesWait(t, &role, func(actions string) { here.permit(t, role, allow(actions+" ecr:*", "*")) })
}

// linesWait runs a task that logs as an execution role, or as its machine's when that
// is nil, and changes which of the actions of logs the role may take.
func (b *berth) linesWait(t *testing.T, role *string, may func(actions string)) {
	t.Helper()
	b.bucketWith(t, "lines-wait", "k", "one")
	watcher := b.role(t, "watcher", allow("s3:GetObject", "*"))
	d := onEC2("watch object lines-wait k").as(watcher)
	d.ExecutionRoleArn, d.Family = role, aws.String(nameOf(t, "watch"))
	d.ContainerDefinitions[0].LogConfiguration.Options["mode"] = "non-blocking"
	may("logs:CreateLogStream logs:PutLogEvents")
	task := b.run(t, d)
	b.told(t, task, "object", "one")

	may("logs:CreateLogStream")
	b.permit(t, watcher, allow("s3:ListBucket", "*")) // which makes a line
	now := b.until(t, task, "the reason", func(now types.Task) bool { return aws.ToString(now.Containers[0].Reason) != "" })
	says(t, *now.Containers[0].Reason, "is not authorized to perform: logs:PutLogEvents", "AccessDeniedException")
	if *now.LastStatus != "RUNNING" {
		t.Error(summary(now))
	}
	may("logs:CreateLogStream logs:PutLogEvents")
	b.told(t, task, "object", "error: AccessDenied: ")
	b.until(t, task, "no reason", func(now types.Task) bool { return aws.ToString(now.Containers[0].Reason) == "" })
}

// TestPullsNeedTheirPermission takes ecr:BatchGetImage from an execution role.
func TestPullsNeedTheirPermission(t *testing.T) {
	t.Parallel()
	role := here.role(t, "role", allow("ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer logs:*", "*"))
	for name, d := range map[string]*definition{"EC2": onEC2("whoami"), "Fargate": onFargate("whoami")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d.ExecutionRoleArn = &role
			d.ContainerDefinitions[0].Image = aws.String(account + ".dkr.ecr.us-east-1.amazonaws.com/" + probe)
			end := here.stopped(t, here.run(t, d))
			says(t, aws.ToString(end.StoppedReason), "CannotPullContainerError", "is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:"+account+":repository/probe")
			if end.StopCode != types.TaskStopCodeTaskFailedToStart {
				t.Error(end.StopCode)
			}
		})
	}
}

// TestLoadedImagesNeedNoPermission runs an image of no repository, as one of a public
// registry is, with an execution role that may do nothing with ECR.
func TestLoadedImagesNeedNoPermission(t *testing.T) {
	t.Parallel()
	role := here.role(t, "role", allow("logs:*", "*"))
	for name, d := range map[string]*definition{"EC2": onEC2("whoami"), "Fargate": onFargate("whoami")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d.ExecutionRoleArn = &role
			here.told(t, here.run(t, d), "whoami")
		})
	}
}
