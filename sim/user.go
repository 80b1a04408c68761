package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/store"
)

// kind is a task definition and how its tasks behave.
type kind struct {
	family      string
	cpu, memory int
	port        int // fixed host port; 0 for none
	gpus        int
	fargate     bool
	lives       time.Duration // the main container ends by itself within; 0 for never
	code        int           // and exits with
	exact       bool          // it lives just so long
	missing     bool          // its image cannot be pulled
	secret      string        // that the main container is told; empty for none
	// after is what the main container waits for in a helper, which ends by
	// itself if it shall succeed; empty without one.
	after ecs.ContainerCondition
}

const (
	helper       = "helper"
	helperMemory = 16
	helperLives  = 3 * time.Second
)

// user is who runs and stops tasks. What was answered to it is what may not be
// lost.
type user struct {
	w     *world
	busy  bool
	kinds []kind
	runs  []*run
	asked map[string]bool // tasks whose stop was acknowledged

	named   int             // services made so far
	touched map[string]bool // services that were updated or deleted, by ARN
	drained bool            // a host was, once
}

// run is one RunTask.
type run struct {
	token    string
	count    int
	answered bool
	tasks    []string
	failures int
	tries    int
}

const userKey = "key-user"

// tries is how often the user repeats a request that fails on our side.
const tries = 100

func (u *user) caller() caller {
	return caller{key: userKey, cut: func() bool { return false }, dead: func() bool { return false }}
}

// populate makes hosts, definitions and a user, before there are faults.
func (w *world) populate() {
	calmly := w.faults
	w.faults = faults{skew: calmly.skew}
	defer func() { w.faults = calmly }()
	w.user.begin()
	for _, k := range []kind{
		{family: "web", cpu: 128, memory: 256},
		{family: "port", cpu: 64, memory: 128, port: 8080},
		{family: "batch", cpu: 256, memory: 512, lives: 40 * time.Second},
		{family: "crash", cpu: 32, memory: 64, lives: 2 * time.Second, code: 1},
		{family: "mesh", cpu: 64, memory: 128, lives: 50 * time.Second, after: ecs.ContainerConditionStart},
		{family: "migrate", cpu: 64, memory: 128, after: ecs.ContainerConditionSuccess},
		{family: "train", cpu: 512, memory: 1024, gpus: 1, lives: 90 * time.Second},
		{family: "fargate", cpu: 256, memory: 512, fargate: true},
		{family: "job", cpu: 512, memory: 1024, fargate: true, lives: 30 * time.Second},
		{family: "missing", cpu: 32, memory: 64, missing: true},
	} {
		w.user.define(k)
	}
	for n := range 2 + w.rng.IntN(4) {
		w.addAgent(fmt.Sprintf("host%d", n+1), machine{
			cpu: 1024 * (1 + w.rng.IntN(3)), memory: 2048 * (1 + w.rng.IntN(3)), gpus: w.rng.IntN(3), fargate: w.rng.IntN(3) * 2,
		})
	}
}

// begin gives the user a key.
func (u *user) begin() {
	u.asked = map[string]bool{}
	if !u.w.server.grant(userKey, identity.RootPrincipal(scope.Account)) {
		u.w.expect(errors.New("the user gets no key"))
	}
	u.touched = map[string]bool{}
	u.w.after(time.Second, u.act)
	u.w.after(time.Second, u.serve)
}

// define registers a task definition.
func (u *user) define(k kind) {
	u.kinds = append(u.kinds, k)
	main := ecs.ContainerDefinition{Name: new("main"), Image: new(k.family), Memory: new(int32(k.memory)), Cpu: new(int32(k.cpu))}
	if k.port > 0 {
		main.PortMappings = []ecs.PortMapping{{ContainerPort: new(int32(80)), HostPort: new(int32(k.port))}}
	}
	if k.gpus > 0 {
		main.ResourceRequirements = []ecs.ResourceRequirement{{Type: ecs.ResourceTypeGpu, Value: new(fmt.Sprint(k.gpus))}}
	}
	if k.secret != "" {
		main.Secrets = []ecs.Secret{{Name: new("SECRET"), ValueFrom: new(secretARN(k.secret))}}
	}
	in := &ecs.RegisterTaskDefinitionRequest{Family: &k.family, ContainerDefinitions: k.withHelper(main)}
	if k.secret != "" {
		in.ExecutionRoleArn = new("arn:aws:iam::" + scope.Account + ":role/ecsTaskExecutionRole")
	}
	if k.fargate {
		in.RequiresCompatibilities, in.NetworkMode = []ecs.Compatibility{ecs.CompatibilityFargate}, ecs.NetworkModeAwsvpc
		in.Cpu, in.Memory = new(fmt.Sprint(k.cpu)), new(fmt.Sprint(k.memory))
	}
	_, err := u.w.server.call(userKey, "RegisterTaskDefinition", in)
	u.w.expect(err)
}

func (u *user) kind(family string) *kind {
	i := slices.IndexFunc(u.kinds, func(k kind) bool { return k.family == family })
	if i < 0 {
		return nil
	}
	return &u.kinds[i]
}

// withHelper puts the helper before the main container, out of whose memory it
// lives.
func (k *kind) withHelper(main ecs.ContainerDefinition) []ecs.ContainerDefinition {
	if k.after == "" {
		return []ecs.ContainerDefinition{main}
	}
	main.Memory = new(int32(k.memory - helperMemory))
	main.DependsOn = []ecs.ContainerDependency{{ContainerName: new(helper), Condition: k.after}}
	return []ecs.ContainerDefinition{{Name: new(helper), Image: new(helper), Memory: new(int32(helperMemory)), Essential: new(false)}, main}
}

// end is when a container that just started will end by itself, and its exit code;
// zero for never.
func (k *kind) end(container string, w *world) (time.Duration, int) {
	switch {
	case container == helper && k.after == ecs.ContainerConditionSuccess:
		return w.between(0, helperLives), 0
	case container == helper || k.lives == 0:
		return 0, 0
	}
	if k.exact {
		return k.lives, k.code
	}
	return w.between(k.lives/4, k.lives), k.code
}

// ends tells whether tasks of the kind do not stay.
func (k *kind) ends() bool { return k.lives > 0 || k.missing }

// act does one thing, then plans the next.
func (u *user) act() {
	if !u.busy {
		return
	}
	w := u.w
	switch n := w.rng.IntN(20); {
	case n < 11:
		u.run(&u.kinds[w.rng.IntN(len(u.kinds))], 1+w.rng.IntN(3))
	case n < 18:
		if live := u.live(); len(live) > 0 {
			u.stop(live[w.rng.IntN(len(live))])
		}
	case n == 18 && w.chance(0.2):
		u.retire(w.agents[w.rng.IntN(len(w.agents))])
	default:
		u.drain(w.agents[w.rng.IntN(len(w.agents))], w.chance(0.4))
	}
	pause := w.between(0, 4*time.Second)
	if w.chance(0.3) {
		pause = w.between(0, 50*time.Millisecond) // one thing follows hard on another
	}
	w.after(pause, u.act)
}

// live lists the tasks the user knows of and has not stopped.
func (u *user) live() []string {
	var out []string
	for _, r := range u.runs {
		for _, t := range r.tasks {
			if !u.asked[t] {
				out = append(out, t)
			}
		}
	}
	return out
}

// run asks for tasks, with a token, until there is an answer.
func (u *user) run(k *kind, count int) {
	r := &run{token: fmt.Sprintf("run-%d", len(u.runs)+1), count: count}
	u.runs = append(u.runs, r)
	in := &ecs.RunTaskRequest{TaskDefinition: &k.family, Count: new(int32(count)), ClientToken: &r.token, StartedBy: &r.token}
	if k.fargate {
		in.LaunchType = ecs.LaunchTypeFargate
		in.NetworkConfiguration = u.network()
	}
	u.w.say("user runs %d %s", count, k.family)
	u.repeat(&r.tries, "RunTask", in, func(out any, err error) {
		r.answered = true
		if err != nil {
			u.w.expect(fmt.Errorf("RunTask %s: %w", k.family, err))
			return
		}
		answer := out.(*ecs.RunTaskResponse)
		r.failures = len(answer.Failures)
		for i := range answer.Tasks {
			t := &answer.Tasks[i]
			r.tasks = append(r.tasks, *t.TaskArn)
			u.w.name(*t.TaskArn)
			u.w.say("user has %s, %s", *t.TaskArn, *t.LastStatus)
		}
		for _, f := range answer.Failures {
			u.w.say("user is refused: %s %s", *f.Arn, *f.Reason)
		}
	})
}

func (u *user) subnets() []string {
	var out []string
	for s := range store.Subnets.Prefix(u.w.server.leader.View(), network.Key(scope, "")) {
		out = append(out, s.ID)
	}
	return out
}

// repeat makes a request until it is answered for good.
func (u *user) repeat(made *int, operation string, in any, done func(any, error)) {
	u.w.request(u.caller(), operation, in, func(out any, err error) {
		if *made++; err != nil && transient(err) && *made < tries {
			u.w.after(u.w.between(time.Second, 4*time.Second), func() { u.repeat(made, operation, in, done) })
			return
		}
		done(out, err)
	})
}

func (u *user) stop(arn string) {
	u.w.say("user stops %s", arn)
	u.asked[arn] = false
	made := 0
	u.repeat(&made, "StopTask", &ecs.StopTaskRequest{Task: &arn}, func(_ any, err error) {
		if err != nil {
			u.w.expect(fmt.Errorf("StopTask %s: %w", u.w.rename(arn), err))
			return
		}
		u.asked[arn] = true
	})
}

func (u *user) drain(a *agent, drained bool) {
	if a.instance == "" || a.retired {
		return
	}
	status := ecs.ContainerInstanceStatusActive
	if drained {
		status, u.drained = ecs.ContainerInstanceStatusDraining, true
	}
	u.w.say("user makes %s %s", a.name, status)
	made := 0
	in := &ecs.UpdateContainerInstancesStateRequest{ContainerInstances: []string{a.instance}, Status: status}
	u.repeat(&made, "UpdateContainerInstancesState", in, func(_ any, err error) { u.w.expect(err) })
}

// retire deregisters a host by force, unless it is the last one.
func (u *user) retire(a *agent) {
	left := slices.ContainsFunc(u.w.agents, func(x *agent) bool { return x != a && !x.retired })
	if a.instance == "" || a.retired || !left {
		return
	}
	u.w.say("user deregisters %s by force", a.name)
	a.retired = true // from here on, nobody can say what is there
	made := 0
	in := &ecs.DeregisterContainerInstanceRequest{ContainerInstance: &a.instance, Force: new(true)}
	u.repeat(&made, "DeregisterContainerInstance", in, func(_ any, err error) {
		u.w.expect(err)
		a.retire()
	})
}

// stopEverything asks for the end of every task there is.
func (u *user) stopEverything() {
	u.w.say("user stops everything")
	for t := range store.Tasks.All(u.w.server.leader.View()) {
		if t.DesiredStatus() != task.Stopped {
			u.stop(t.ARN)
		}
	}
}
