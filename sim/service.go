package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

const (
	// maxServices is how many services a user has at a time, maxScale how many
	// tasks one of them wants.
	maxServices = 3
	maxScale    = 5
	// maxGuests is how many hosts join a world later.
	maxGuests = 2
)

// serve does one thing with services, then plans the next.
func (u *user) serve() {
	if !u.busy {
		return
	}
	w := u.w
	active := u.services()
	switch n := w.rng.IntN(24); {
	case len(active) == 0 || n < 3 && len(active) < maxServices:
		u.createService()
	case n == 3 && w.guests < maxGuests:
		w.guests++
		w.addAgent(fmt.Sprintf("guest%d", w.guests), machine{cpu: 1024, memory: 2048, fargate: w.rng.IntN(3)})
	case n < 16:
		u.changeService(active[w.rng.IntN(len(active))])
	case n < 18:
		u.deleteService(active[w.rng.IntN(len(active))], w.chance(0.7))
	default:
		u.disturb(active[w.rng.IntN(len(active))])
	}
	pause := w.between(0, 8*time.Second)
	if w.chance(0.2) {
		pause = w.between(0, 50*time.Millisecond)
	}
	w.after(pause, u.serve)
}

// services are those that are ACTIVE.
func (u *user) services() []*service.Service {
	var out []*service.Service
	for s := range store.Services.All(u.w.server.leader.View()) {
		if s.Status == service.Active {
			out = append(out, s)
		}
	}
	return out
}

// kindOf is what a service runs.
func (u *user) kindOf(v *store.View, s *service.Service) *kind {
	def, _ := store.TaskDefinitions.Get(v, s.Spec.Template.DefinitionARN)
	return u.kind(def.Family)
}

// someKind draws a kind for services on Fargate or on instances.
func (u *user) someKind(fargate bool) *kind {
	for {
		if k := &u.kinds[u.w.rng.IntN(len(u.kinds))]; k.fargate == fargate {
			return k
		}
	}
}

// createService makes a service, now and then under a name that was used before.
// What kind of service it is follows from the name, so that a request that comes
// late is not a mistake.
func (u *user) createService() {
	w := u.w
	if u.named++; w.chance(0.2) {
		u.named = max(1, u.named-2)
	}
	name := fmt.Sprintf("svc%d", u.named)
	daemon := u.named%5 == 0
	k := u.someKind(u.named%5 == 3)
	in := &ecs.CreateServiceRequest{ServiceName: &name, TaskDefinition: &k.family, DeploymentConfiguration: u.someConfiguration(daemon)}
	switch {
	case daemon:
		in.SchedulingStrategy = ecs.SchedulingStrategyDaemon
	default:
		in.DesiredCount = new(int32(w.rng.IntN(maxScale + 1)))
	}
	if k.fargate {
		in.LaunchType, in.NetworkConfiguration = ecs.LaunchTypeFargate, u.network()
	}
	if !k.fargate && !daemon && w.chance(0.3) {
		in.PlacementStrategy = []ecs.PlacementStrategy{{Type: ecs.PlacementStrategyTypeSpread, Field: new("instanceId")}}
	}
	w.say("user creates %s of %s, daemon %v", name, k.family, daemon)
	u.ask("CreateService", in, "still Draining", "not idempotent")
}

func (u *user) network() *ecs.NetworkConfiguration {
	return &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{Subnets: u.subnets()}}
}

// someConfiguration draws bounds of all sorts and a circuit breaker of some.
func (u *user) someConfiguration(daemon bool) *ecs.DeploymentConfiguration {
	w := u.w
	number := func(list ...int32) *int32 { return &list[w.rng.IntN(len(list))] }
	out := &ecs.DeploymentConfiguration{MinimumHealthyPercent: number(0, 33, 50, 75, 100), MaximumPercent: number(125, 150, 200)}
	switch {
	case daemon:
		out.MinimumHealthyPercent, out.MaximumPercent = number(0, 50, 90), number(100)
	case w.chance(0.25):
		out.MinimumHealthyPercent, out.MaximumPercent = number(0, 40, 90), number(100)
	}
	if w.chance(0.5) {
		out.DeploymentCircuitBreaker = &ecs.DeploymentCircuitBreaker{Enable: new(w.chance(0.8)), Rollback: new(w.chance(0.6))}
	}
	return out
}

// changeService updates a service in one way or in several.
func (u *user) changeService(s *service.Service) {
	w := u.w
	in := &ecs.UpdateServiceRequest{Service: &s.Name}
	daemon := s.Spec.Scheduling == service.Daemon
	if !daemon && w.chance(0.5) {
		in.DesiredCount = new(int32(w.rng.IntN(maxScale + 1)))
	}
	if w.chance(0.4) {
		in.TaskDefinition = new(u.someKind(s.Spec.Template.Network != nil).family)
	}
	if w.chance(0.15) {
		in.ForceNewDeployment = new(true)
	}
	if w.chance(0.2) {
		in.DeploymentConfiguration = u.someConfiguration(daemon)
	}
	var what []string
	for name, said := range map[string]bool{"definition": in.TaskDefinition != nil, "count": in.DesiredCount != nil, "force": in.ForceNewDeployment != nil} {
		if said {
			what = append(what, name)
		}
	}
	slices.Sort(what)
	w.say("user updates %s: %s", s.Name, strings.Join(what, ", "))
	u.touched[s.ARN] = true
	u.ask("UpdateService", in, "Service was not ACTIVE.", "Service not found.")
}

func (u *user) deleteService(s *service.Service, force bool) {
	u.w.say("user deletes %s, force %v", s.Name, force)
	u.touched[s.ARN] = true
	u.ask("DeleteService", &ecs.DeleteServiceRequest{Service: &s.Name, Force: &force}, "Service not found.", "scaled above 0")
}

// disturb protects or stops a task of a service, or stops its rollout.
func (u *user) disturb(s *service.Service) {
	w := u.w
	tasks := u.tasksOf(s)
	switch {
	case s.Rollout != "" && w.chance(0.3):
		stop := ecs.StopServiceDeploymentStopTypeRollback
		if w.chance(0.5) {
			stop = ecs.StopServiceDeploymentStopTypeAbort
		}
		w.say("user stops the rollout of %s: %s", s.Name, stop)
		u.touched[s.ARN] = true
		u.ask("StopServiceDeployment", &ecs.StopServiceDeploymentRequest{ServiceDeploymentArn: &s.Rollout, StopType: stop}, "cannot be stopped because", "isn't found")
	case len(tasks) == 0:
	case w.chance(0.5):
		on := w.chance(0.8)
		in := &ecs.UpdateTaskProtectionRequest{Cluster: new("default"), Tasks: []string{tasks[w.rng.IntN(len(tasks))]}, ProtectionEnabled: &on}
		if on {
			in.ExpiresInMinutes = new(int32(1 + w.rng.IntN(5)))
		}
		w.say("user protects %s: %v", in.Tasks[0], on)
		u.ask("UpdateTaskProtection", in)
	default:
		u.stop(tasks[w.rng.IntN(len(tasks))])
	}
}

// tasksOf lists the tasks of a service that are wanted running.
func (u *user) tasksOf(s *service.Service) []string {
	var out []string
	for t := range store.Tasks.By(u.w.server.leader.View(), store.TasksOfService, store.InCluster(s.ClusterARN, service.Group(s.Name))) {
		if t.DesiredStatus() != task.Stopped {
			out = append(out, t.ARN)
		}
	}
	return out
}

// ask makes a request until it is answered. Refusals are mistakes unless they say
// one of the given things.
func (u *user) ask(operation string, in any, may ...string) {
	made := 0
	u.repeat(&made, operation, in, func(_ any, err error) {
		var f *fault.Fault
		if errors.As(err, &f) && slices.ContainsFunc(may, func(words string) bool { return strings.Contains(f.Message, words) }) {
			u.w.say("user is refused: %s", f.Message)
			return
		}
		if err != nil {
			u.w.expect(fmt.Errorf("%s: %w", operation, err))
		}
	})
}

// deleteServices asks for the end of every service there is.
func (u *user) deleteServices() {
	for _, s := range u.services() {
		u.deleteService(s, true)
	}
}
