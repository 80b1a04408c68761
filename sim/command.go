package sim

import (
	"errors"
	"fmt"
	"slices"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/secret"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/plan/rollout"
	"github.com/berthhq/berth/store"
)

func (p *play) host(name string, args words) error {
	p.w.addAgent(name, machine{cpu: args.int("cpu", 1024), memory: args.int("memory", 1024), fargate: args.int("fargate", 0)})
	return nil
}

func (p *play) definition(name string, args words) error {
	p.w.user.define(kind{
		family: name, cpu: args.int("cpu", 128), memory: args.int("memory", 128), lives: args.duration("lives"), code: args.int("code", 0),
		exact: true, missing: args.has("missing"), fargate: args.has("fargate"), secret: args["secret"],
	})
	return nil
}

func (p *play) create(name string, args words) error {
	in := &ecs.CreateServiceRequest{ServiceName: &name, TaskDefinition: new(args["definition"]), DesiredCount: args.number("count"), DeploymentConfiguration: configuration(args)}
	if args.has("external") {
		in.TaskDefinition, in.DeploymentController = nil, &ecs.DeploymentController{Type: ecs.DeploymentControllerTypeExternal}
	}
	if args.has("follow") {
		p.touch(name) // by who rotates its secret
		in.Tags = []ecs.Tag{{Key: new(rollout.RedeployTag), Value: new("true")}}
	}
	if args.has("daemon") {
		in.SchedulingStrategy = ecs.SchedulingStrategyDaemon
	}
	if k := p.w.user.kind(args["definition"]); k != nil && k.fargate {
		in.LaunchType, in.NetworkConfiguration = ecs.LaunchTypeFargate, p.w.user.network()
	}
	p.w.user.ask("CreateService", in)
	return nil
}

func configuration(args words) *ecs.DeploymentConfiguration {
	out := &ecs.DeploymentConfiguration{MinimumHealthyPercent: args.number("min"), MaximumPercent: args.number("max"), BakeTimeInMinutes: args.number("bake")}
	if args.has("breaker") {
		out.DeploymentCircuitBreaker = &ecs.DeploymentCircuitBreaker{Enable: new(true), Rollback: new(args.has("rollback"))}
	}
	if args.has("alarms") {
		out.Alarms = &ecs.DeploymentAlarms{AlarmNames: []string{args["alarms"]}, Enable: new(true), Rollback: new(args.has("rollback"))}
	}
	if args.has("pause") {
		out.LifecycleHooks = []ecs.DeploymentLifecycleHook{{
			TargetType: ecs.DeploymentLifecycleHookTargetTypePause, LifecycleStages: []ecs.DeploymentLifecycleHookStage{ecs.DeploymentLifecycleHookStage(args["pause"])},
		}}
	}
	out.Strategy = ecs.DeploymentStrategy(args["strategy"])
	percent := new(float64(args.int("percent", 50)))
	switch out.Strategy {
	case ecs.DeploymentStrategyLinear:
		out.LinearConfiguration = &ecs.LinearConfiguration{StepPercent: percent, StepBakeTimeInMinutes: args.number("step")}
	case ecs.DeploymentStrategyCanary:
		out.CanaryConfiguration = &ecs.CanaryConfiguration{CanaryPercent: percent, CanaryBakeTimeInMinutes: args.number("step")}
	}
	return out
}

func (p *play) update(name string, args words) error {
	p.touch(name)
	in := &ecs.UpdateServiceRequest{Service: &name, DesiredCount: args.number("count"), DeploymentConfiguration: configuration(args)}
	if args.has("definition") {
		in.TaskDefinition = new(args["definition"])
	}
	if args.has("force") {
		in.ForceNewDeployment = new(true)
	}
	p.w.user.ask("UpdateService", in)
	return nil
}

func (p *play) remove(name string, args words) error {
	p.touch(name)
	p.w.user.ask("DeleteService", &ecs.DeleteServiceRequest{Service: &name, Force: new(args.has("force"))})
	return nil
}

func (p *play) touch(name string) { p.w.user.touched[scope.Service("default", name)] = true }

func (p *play) service(name string) (*service.Service, error) {
	s, ok := store.Services.Get(p.w.server.leader.View(), scope.Service("default", name))
	if !ok {
		return nil, fmt.Errorf("there is no service %s", name)
	}
	return s, nil
}

func (p *play) end(name string, how ecs.StopServiceDeploymentStopType) error {
	s, err := p.service(name)
	if err != nil {
		return err
	}
	p.touch(name)
	p.w.user.ask("StopServiceDeployment", &ecs.StopServiceDeploymentRequest{ServiceDeploymentArn: &s.Rollout, StopType: how})
	return nil
}

// answer answers the hooks that a service's rollout waits for.
func (p *play) answer(name string, action ecs.DeploymentLifecycleHookAction) error {
	s, err := p.service(name)
	if err != nil {
		return err
	}
	r, ok := store.Rollouts.Get(p.w.server.leader.View(), s.Rollout)
	if !ok || len(r.Hooks) == 0 {
		return errors.New("it waits for no hook")
	}
	for i := range r.Hooks {
		p.w.user.ask("ContinueServiceDeployment", &ecs.ContinueServiceDeploymentRequest{ServiceDeploymentArn: &r.ARN, HookId: &r.Hooks[i].ID, Action: action})
	}
	return nil
}

// alarm puts an alarm in a state, as plan/alarm or SetAlarmState would.
func (p *play) alarm(name string, args words) error {
	for state := range args {
		a := alarm.New(scope, name, alarm.Definition{Period: 60, EvaluationPeriods: 1}, p.w.server.now())
		_, err := p.w.server.leader.Update(p.w.server.background, func(tx *store.Tx) error {
			store.Alarms.Put(tx, a.In(alarm.State(state), "", "", p.w.server.now()))
			return nil
		})
		p.w.server.stir()
		return err
	}
	return errors.New("in which state?")
}

// rotate gives a secret a new current version, as Secrets Manager would.
func (p *play) rotate(name string, _ words) error {
	_, err := p.w.server.leader.Update(p.w.server.background, func(tx *store.Tx) error {
		next := secret.Secret{Scope: scope, Name: name, ARN: secretARN(name)}
		if have, ok := store.Secrets.Get(tx, store.ScopeKey(scope, name)); ok {
			next = *have
		}
		next.Versions = secret.WithVersion(next.Versions, secret.Version{ID: fmt.Sprint("v", len(next.Versions)+1), Stages: []string{secret.Current}})
		store.Secrets.Put(tx, &next)
		return nil
	})
	p.w.server.stir()
	return err
}

func secretARN(name string) string { return secret.ARN(scope, name, "AbCdEf") }

// task finds a task's ARN by its name in the transcript.
func (p *play) task(name string) (string, error) {
	for t := range store.Tasks.All(p.w.server.leader.View()) {
		if p.w.names[t.ARN] == name {
			return t.ARN, nil
		}
	}
	return "", fmt.Errorf("there is no %s", name)
}

func (p *play) protect(name string, args words) error {
	arn, err := p.task(name)
	in := &ecs.UpdateTaskProtectionRequest{Cluster: new("default"), Tasks: []string{arn}, ProtectionEnabled: new(args.has("minutes")), ExpiresInMinutes: args.number("minutes")}
	p.w.user.ask("UpdateTaskProtection", in)
	return err
}

func (p *play) stop(name string, _ words) error {
	arn, err := p.task(name)
	p.w.user.stop(arn)
	return err
}

func (p *play) onHost(do func(*agent, words)) func(string, words) error {
	return func(name string, args words) error {
		i := slices.IndexFunc(p.w.agents, func(a *agent) bool { return a.name == name })
		if i < 0 {
			return fmt.Errorf("there is no host %s", name)
		}
		do(p.w.agents[i], args)
		return nil
	}
}

func (p *play) crash(name string, args words) error {
	if name == "server" {
		p.w.server.crash()
		return nil
	}
	return p.onHost(func(a *agent, _ words) { a.crash() })(name, args)
}

func (p *play) expect(name string, args words) error {
	s, err := p.service(name)
	if err != nil {
		return err
	}
	all := service.Counts{}
	for _, n := range store.CountCrews(p.w.server.leader.View(), s.ClusterARN, name) {
		all.Running, all.Pending = all.Running+n.Running, all.Pending+n.Pending
	}
	switch d := s.Primary(); {
	case args.int("running", all.Running) != all.Running || args.int("pending", all.Pending) != all.Pending:
		return fmt.Errorf("%d run and %d are pending", all.Running, all.Pending)
	case args.has("steady") && !s.Steady:
		return fmt.Errorf("it is not steady")
	case args.has("inactive") && s.Status != service.Inactive:
		return fmt.Errorf("it is %s", s.Status)
	case args.has("state") && (d == nil || string(d.State) != args["state"]):
		return fmt.Errorf("its deployment is %+v", d)
	}
	return nil
}
