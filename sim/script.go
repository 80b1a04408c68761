package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/alarm"
	"github.com/berthhq/berth/domain/service"
	"github.com/berthhq/berth/store"
)

// Play performs a script in a world without faults of its own and returns it with
// what happened. A script has one command a line; lines that are indented are what
// happened, and written anew; comments begin with #. The commands:
//
//	host NAME [cpu=N] [memory=N] [fargate=N]   a host joins
//	definition NAME [cpu=N] [memory=N] [lives=D] [code=N] [missing] [fargate]
//	create NAME definition=D [count=N] [daemon] CONFIGURATION
//	update NAME [count=N] [definition=D] [force] CONFIGURATION
//	delete NAME [force]
//	rollback NAME | abort NAME                 stop the rollout under way
//	continue NAME | refuse NAME                answer the hooks it waits for
//	alarm NAME STATE
//	protect TASK [minutes=N] | unprotect TASK
//	stop TASK
//	drain HOST | activate HOST | retire HOST
//	crash HOST|server                          the process dies, and comes back
//	cut HOST for=D                             it is off the network for a while
//	wait D
//	expect NAME [running=N] [pending=N] [steady] [state=S] [inactive]
//
// A CONFIGURATION is any of min=N max=N breaker rollback bake=MINUTES
// strategy=BLUE_GREEN|LINEAR|CANARY percent=N step=MINUTES pause=STAGE alarms=NAME.
func Play(script string) (string, error) {
	w := plainWorld()
	p := &play{w: w, watch: newWitness(w)}
	w.user.begin()
	w.user.busy = false
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") {
			continue
		}
		p.out = append(p.out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.do(line); err != nil {
			return p.text(), fmt.Errorf("%s: %w", line, err)
		}
		p.out = append(p.out, p.watch.take()...)
	}
	return p.text(), nil
}

// play is a script under way.
type play struct {
	w     *world
	watch *witness
	out   []string
}

func (p *play) text() string { return strings.Join(p.out, "\n") + "\n" }

// words are the arguments of a command.
type words map[string]string

func (a words) number(name string) *int32 {
	if a[name] == "" {
		return nil
	}
	n, err := strconv.Atoi(a[name])
	if err != nil {
		return nil
	}
	return new(int32(n))
}

func (a words) int(name string, otherwise int) int {
	if n := a.number(name); n != nil {
		return int(*n)
	}
	return otherwise
}

func (a words) duration(name string) time.Duration {
	d, _ := time.ParseDuration(a[name]) // none is zero
	return d
}

func (a words) has(name string) bool { _, ok := a[name]; return ok }

func (p *play) do(line string) error {
	fields := strings.Fields(line)
	verb, subject, args := fields[0], "", words{}
	if len(fields) > 1 {
		subject = fields[1]
		for _, f := range fields[2:] {
			name, value, _ := strings.Cut(f, "=")
			args[name] = value
		}
	}
	command, ok := p.commands()[verb]
	if !ok {
		return fmt.Errorf("no such command")
	}
	if err := command(subject, args); err != nil {
		return err
	}
	p.pass(100 * time.Millisecond) // until it is done
	return p.w.err
}

func (p *play) commands() map[string]func(string, words) error {
	return map[string]func(string, words) error{
		"host": p.host, "definition": p.definition, "create": p.create, "update": p.update, "delete": p.remove,
		"rollback": func(name string, _ words) error { return p.end(name, ecs.StopServiceDeploymentStopTypeRollback) },
		"abort":    func(name string, _ words) error { return p.end(name, ecs.StopServiceDeploymentStopTypeAbort) },
		"continue": func(name string, _ words) error { return p.answer(name, ecs.DeploymentLifecycleHookActionContinue) },
		"refuse":   func(name string, _ words) error { return p.answer(name, ecs.DeploymentLifecycleHookActionRollback) },
		"alarm":    p.alarm,
		"protect":  p.protect, "unprotect": p.protect, "stop": p.stop,
		"drain":    p.onHost(func(a *agent, _ words) { p.w.user.drain(a, true) }),
		"activate": p.onHost(func(a *agent, _ words) { p.w.user.drain(a, false) }),
		"retire":   p.onHost(func(a *agent, _ words) { p.w.user.retire(a) }),
		"cut":      p.onHost(func(a *agent, args words) { a.partition(args.duration("for")) }),
		"crash":    p.crash, "expect": p.expect,
		"wait": func(d string, _ words) error {
			for_, err := time.ParseDuration(d)
			p.pass(for_)
			return err
		},
	}
}

func (p *play) pass(d time.Duration) {
	end := p.w.now.Add(d)
	for p.w.due(end) && p.w.step() {
		p.watch.look()
	}
	if p.w.err == nil {
		p.w.now = end
	}
}

func (p *play) host(name string, args words) error {
	p.w.addAgent(name, machine{cpu: args.int("cpu", 1024), memory: args.int("memory", 1024), fargate: args.int("fargate", 0)})
	return nil
}

func (p *play) definition(name string, args words) error {
	p.w.user.define(kind{
		family: name, cpu: args.int("cpu", 128), memory: args.int("memory", 128), lives: args.duration("lives"), code: args.int("code", 0),
		exact: true, missing: args.has("missing"), fargate: args.has("fargate"),
	})
	return nil
}

func (p *play) create(name string, args words) error {
	in := &ecs.CreateServiceRequest{ServiceName: &name, TaskDefinition: new(args["definition"]), DesiredCount: args.number("count"), DeploymentConfiguration: configuration(args)}
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
