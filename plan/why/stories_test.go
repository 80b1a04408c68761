package why_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plan/why"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// world is a cluster with a definition, a machine and a task on it, as it is when
// all goes well so far.
type world struct {
	def       *workload.Definition
	instances []*cluster.Instance
	task      *task.Task
	node      *network.Interface       // of a balancer, once served
	trouble   string                   // why its edge does not carry it; empty when it does
	groups    []*network.SecurityGroup // the balancer's and the task's, once served
	rest      func(*store.Tx)
}

func instance(id string, cpu, memory int) *cluster.Instance {
	return &cluster.Instance{
		Scope: scope, ARN: scope.ContainerInstance("default", id), ID: id, ClusterARN: home.ARN, Status: cluster.InstanceActive,
		OffersEC2: true, OffersFargate: true, Connected: true, Registered: cluster.Resources{CPU: cpu, Memory: memory},
	}
}

func newWorld() *world {
	def := &workload.Definition{
		Scope: scope, ARN: scope.TaskDefinition("web", 1), Family: "web", Revision: 1, Status: workload.Active, NetworkMode: workload.Bridge,
		Containers: []workload.Container{{Name: "app", Image: "web:1", Essential: true, CPU: 256, Memory: new(512)}},
	}
	return &world{
		def: def, instances: []*cluster.Instance{instance(machine, 1024, 1024)},
		task: &task.Task{
			Scope: scope, ARN: scope.Task("default", taskID), ID: taskID, CreatedAt: began, Version: 1,
			Spec: task.Spec{
				ClusterARN: home.ARN, DefinitionARN: def.ARN, LaunchType: workload.EC2, Group: "family:web",
				Containers: []task.ContainerID{{Name: "app", ID: "1"}},
			},
			Desired:    task.Desired{Status: task.Running},
			Assignment: &task.Assignment{InstanceARN: scope.ContainerInstance("default", machine), At: began.Add(time.Second)},
		},
	}
}

// unplaced takes the task off its machine.
func (w *world) unplaced() { w.task.Assignment = nil }

// known is a task that the agent has begun to work on.
func (w *world) known(containers ...task.Container) {
	w.task.Observed = task.Observed{Status: task.Pending, ConnectivityAt: began, PullStartedAt: began.Add(2 * time.Second), Containers: containers}
}

// ended is a task that stopped by itself.
func (w *world) ended(code, reason string, containers ...task.Container) {
	w.known(containers...)
	w.task.Assignment.Released = true
	w.task.Observed.Status, w.task.Observed.StoppedAt = task.Stopped, began.Add(40*time.Second)
	w.task.Observed.StopCode, w.task.Observed.StoppedReason = code, reason
}

// side adds a second container.
func (w *world) side(c workload.Container) {
	w.def.Containers = append(w.def.Containers, c)
	w.task.Spec.Containers = append(w.task.Spec.Containers, task.ContainerID{Name: c.Name, ID: "2"})
}

func (w *world) inquiry(t *testing.T) *why.Inquiry {
	t.Helper()
	v, err := memory.Open().Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, home)
		store.TaskDefinitions.Put(tx, w.def)
		for _, i := range w.instances {
			store.Instances.Put(tx, i)
		}
		store.Tasks.Put(tx, w.task)
		if w.rest != nil {
			w.rest(tx)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &why.Inquiry{View: v, Now: began.Add(time.Minute), Registry: []string{"127.0.0.1:4566"}}
}

func stopped(name string, exit int, reason string) task.Container {
	return task.Container{Name: name, Status: "STOPPED", ImageDigest: "sha256:1", ExitCode: new(exit), Reason: reason}
}

func refusedStart(name, reason string) task.Container {
	return task.Container{Name: name, Status: "STOPPED", Reason: reason}
}

// stories are tasks in all their troubles. The printed tree of each is in testdata.
var stories = map[string]func(*world){
	"no-room": func(w *world) {
		w.unplaced()
		w.def.Containers[0].Memory = new(4096)
		w.instances[0].Used = cluster.Usage{CPU: 1000, Memory: 600, Tasks: 3}
		w.instances = append(w.instances, instance(other, 4096, 8192))
		w.instances[1].Connected = false
	},
	"port-taken": func(w *world) {
		w.unplaced()
		w.def.Containers[0].PortMappings = []workload.PortMapping{{ContainerPort: 80, HostPort: new(8080), Protocol: "tcp"}}
		w.instances[0].Used = cluster.Usage{Tasks: 1, PortsTCP: []int{8080}}
	},
	"constraint": func(w *world) {
		w.unplaced()
		w.task.Spec.Constraints = []workload.Constraint{{Type: "memberOf", Expression: "attribute:gpu == yes"}}
	},
	"unreadable-constraint": func(w *world) {
		w.unplaced()
		w.task.Spec.Constraints = []workload.Constraint{{Type: "memberOf", Expression: "attribute:gpu ="}}
	},
	"no-instance":   func(w *world) { w.unplaced(); w.instances = nil },
	"no-provider":   func(w *world) { w.unplaced(); w.task.Spec.CapacityProvider = "big" },
	"no-fargate":    func(w *world) { w.unplaced(); w.instances = nil; w.task.Spec.LaunchType = workload.Fargate },
	"about-to-be":   func(w *world) { w.unplaced() },
	"no-definition": func(w *world) { w.unplaced(); w.def.ARN = scope.TaskDefinition("other", 1) },
	"no-address": func(w *world) {
		w.unplaced()
		w.task.Spec.NetworkConfiguration = &task.NetworkConfiguration{Subnets: []string{"subnet-1"}}
		subnet := &network.Subnet{Scope: scope, ID: "subnet-1", VPCID: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/28"), Zone: "z"}
		w.rest = func(tx *store.Tx) {
			store.Subnets.Put(tx, subnet)
			for a := subnet.CIDR.Addr(); subnet.CIDR.Contains(a); a = a.Next() {
				store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-" + a.String(), VPCID: "vpc-1", SubnetID: "subnet-1", PrivateIP: a})
			}
		}
	},
	"unacknowledged": func(*world) {},
	"agent-away": func(w *world) {
		w.instances[0].Connected, w.instances[0].DisconnectedAt = false, began.Add(-time.Hour)
	},
	"pulling": func(w *world) { w.known(task.Container{Name: "app", Status: "PENDING"}) },
	"depends": func(w *world) {
		w.side(workload.Container{Name: "db", Image: "000000000000.dkr.ecr.us-east-1.amazonaws.com/db:2"})
		w.def.Containers[0].DependsOn = []workload.Dependency{{ContainerName: "db", Condition: workload.ConditionHealthy}}
		w.known(task.Container{Name: "app", Status: "PENDING", ImageDigest: "sha256:1"},
			task.Container{Name: "db", Status: "RUNNING", ImageDigest: "sha256:2", Health: task.UnknownHealth})
	},
	"unhealthy": func(w *world) {
		w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1", Health: task.Unhealthy, HealthSince: began.Add(50 * time.Second), RestartCount: 2})
		w.task.Observed.Status, w.task.Observed.StartedAt = task.Running, began.Add(5*time.Second)
	},
	"logs-denied": func(w *world) {
		w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1", Reason: "LogDriverError: the container's logs cannot be shipped, and wait on disk: PutLogEvents: AccessDeniedException: User is not authorized to perform: logs:PutLogEvents"})
		w.task.Observed.Status, w.task.Observed.StartedAt = task.Running, began.Add(5*time.Second)
	},
	"stopping": func(w *world) {
		w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1"})
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: "tired of it", StoppingAt: began.Add(58 * time.Second)}
	},
	"no-image": func(w *world) {
		w.def.Containers[0].Image = "nobody:7"
		reason := "CannotPullContainerError: image not found: nobody:7 is not in berth's registry: push it, or run berth image load FILE nobody:7; failed to pull docker.io/library/nobody:7"
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"registry-away": func(w *world) {
		w.def.Containers[0].Image = "registry.example:5000/team/app:1"
		reason := "CannotPullContainerError: failed to pull registry.example:5000/team/app:1: dial tcp: lookup registry.example: no such host"
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"bad-image-name": func(w *world) {
		w.def.Containers[0].Image = "Web:1"
		reason := `CannotPullContainerError: image "Web:1": "Web" is not a repository name (lower case letters, digits, and single . _ - between them)`
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"exit-3": func(w *world) {
		w.side(workload.Container{Name: "log", Image: "log:1"})
		w.ended(task.StopEssentialContainerExited, "Essential container in task exited", stopped("log", 0, ""), stopped("app", 3, ""))
	},
	"out-of-memory": func(w *world) {
		w.task.Spec.Memory = "1024"
		w.ended(task.StopEssentialContainerExited, "Essential container in task exited", stopped("app", 137, "OutOfMemoryError: Container killed due to memory usage"))
	},
	"no-command": func(w *world) {
		reason := `CannotStartContainerError: exec: "wbe": executable file not found in $PATH`
		w.ended(task.StopTaskFailedToStart, reason, refusedStart("app", reason))
	},
	"privileged": func(w *world) {
		w.ended(task.StopTaskFailedToStart, "ResourceInitializationError: container app is privileged, which this machine refuses: start berth with --allow-privileged", refusedStart("app", ""))
	},
	"killed-when-asked": func(w *world) {
		w.ended("", "", stopped("app", 137, ""))
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopUserInitiated, StoppedReason: "Task stopped by user", StoppingAt: began.Add(10 * time.Second)}
	},
	"scaled-in": func(w *world) {
		w.ended("", "", stopped("app", 143, ""))
		w.task.Desired = task.Desired{Status: task.Stopped, StopCode: task.StopServiceSchedulerInitiated, StoppedReason: "Scaling activity initiated by (deployment ecs-svc/1)", StoppingAt: began.Add(10 * time.Second)}
	},
	"never-fits": func(w *world) {
		w.unplaced()
		w.task.Desired = task.Desired{
			Status: task.Stopped, StopCode: task.StopTaskFailedToStart, StoppingAt: began,
			StoppedReason: "Capacity is unavailable at this time. Please try again later or in a different availability zone (aaaa: RESOURCE:CPU CPU needs 4096, has 1024)",
		}
	},
	"target-closed": func(w *world) {
		w.served(balancer.Report{State: balancer.Unhealthy, Reason: balancer.ReasonTimeout, Detail: "Request timed out"})
	},
	"target-open": func(w *world) {
		w.served(balancer.Report{State: balancer.Unhealthy, Reason: balancer.ReasonTimeout, Detail: "Request timed out"})
		w.groups[1].Ingress = []network.Rule{{Protocol: "tcp", FromPort: 8000, ToPort: 8000, Group: "sg-1"}}
	},
	"target-mismatch": func(w *world) {
		w.served(balancer.Report{State: balancer.Unhealthy, Reason: balancer.ReasonMismatch, Detail: "Health checks failed with these codes: [404]"})
	},
	"target-uncarried": func(w *world) {
		w.served(balancer.Report{})
		w.node.InstanceARN = ""
	},
	"target-healthy": func(w *world) { w.served(balancer.Report{State: balancer.Healthy}) },
}

// served is a running task that a load balancer found to be as the report says.
func (w *world) served(r balancer.Report) {
	w.known(task.Container{Name: "app", Status: "RUNNING", ImageDigest: "sha256:1"})
	w.task.Observed.Status, w.task.Observed.StartedAt = task.Running, began.Add(5*time.Second)
	place := func(id, at string, groups ...string) *network.Interface {
		return &network.Interface{Scope: scope, ID: id, VPCID: "vpc-1", SubnetID: "subnet-1", Zone: "us-east-1a", PrivateIP: netip.MustParseAddr(at), SecurityGroups: groups}
	}
	w.node = place("eni-1", "10.0.0.4", "sg-1")
	w.node.Kind, w.node.InstanceARN = network.ForBalancer, w.instances[0].ARN
	own := place("eni-2", "10.0.0.5", "sg-2")
	b := &balancer.Balancer{
		Scope: scope, ARN: balancerARN, Name: "front", Kind: balancer.Application, VPCID: "vpc-1", DNSName: "front-1.us-east-1.elb.amazonaws.com",
		Zones: []balancer.Zone{{Name: "us-east-1a", SubnetID: "subnet-1", InterfaceID: "eni-1"}}, SecurityGroups: []string{"sg-1"},
	}
	g := &balancer.TargetGroup{
		Scope: scope, ARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1", Name: "web", Protocol: "HTTP", Port: 80, VPCID: "vpc-1", TargetType: balancer.TargetIP,
	}
	g.HealthCheck = balancer.DefaultHealthCheck(g, "")
	w.groups = []*network.SecurityGroup{
		{Scope: scope, ID: "sg-1", VPCID: "vpc-1", Ingress: []network.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "0.0.0.0/0"}}},
		{Scope: scope, ID: "sg-2", VPCID: "vpc-1"},
	}
	w.rest = func(tx *store.Tx) {
		store.Balancers.Put(tx, b)
		store.TargetGroups.Put(tx, g)
		store.Listeners.Put(tx, &balancer.Listener{
			Scope: scope, ARN: balancerARN + "/listener", BalancerARN: b.ARN, Port: 80, Protocol: "HTTP",
			Default: []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: g.ARN, Weight: 1}}}}},
		})
		store.Interfaces.Put(tx, w.node)
		store.Trouble(tx, balancerARN, w.node.InstanceARN, w.trouble)
		store.Interfaces.Put(tx, own)
		for _, g := range w.groups {
			store.SecurityGroups.Put(tx, g)
		}
		t := &balancer.Target{Scope: scope, GroupARN: g.ARN, ID: "10.0.0.5", Port: 8000, Zone: "us-east-1a", TaskARN: w.task.ARN, Since: began}
		store.Targets.Put(tx, t)
		if r.State != "" {
			r.At = began.Add(30 * time.Second)
			store.TargetHealth.Put(tx, &balancer.Health{Target: t.Key(), Reports: map[string]balancer.Report{w.instances[0].ARN: r}})
		}
	}
}

const balancerARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/front/1"

// fronts are load balancers in all their troubles.
var fronts = map[string]func(*world){
	"front-well":     func(w *world) { w.served(balancer.Report{State: balancer.Healthy}) },
	"front-shut":     func(w *world) { w.served(balancer.Report{State: balancer.Healthy}); w.groups[0].Ingress = nil },
	"front-unplaced": func(w *world) { w.served(balancer.Report{}); w.node.InstanceARN = "" },
	"front-away":     func(w *world) { w.served(balancer.Report{State: balancer.Healthy}); w.instances[0].Connected = false },
	"front-uncarried": func(w *world) {
		w.served(balancer.Report{State: balancer.Healthy})
		w.trouble = "haproxy is not installed"
	},
	"front-sick": func(w *world) {
		w.served(balancer.Report{State: balancer.Unhealthy, Reason: balancer.ReasonFailed, Detail: "Health checks failed"})
	},
}
