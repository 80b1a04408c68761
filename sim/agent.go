package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/protocol/acs"
)

// machine is what an agent's host has.
type machine struct {
	cpu, memory int
	fargate     int // CPU overcommit; 0 offers no Fargate capacity
	gpus        int
}

// agent is one host: the process, what it keeps on its disk, and the containers,
// which go on without it.
type agent struct {
	w       *world
	name    string
	machine machine
	skew    time.Duration
	cut     bool // off the network

	up   bool
	life int // counts starts
	// stream is the session's connection; nil without one.
	stream  *stream
	dialing bool
	// retired hosts were deregistered by force: nobody answers for what they
	// still run until they are switched off.
	retired bool
	off     bool

	// On disk.
	instance string // its ARN, once registered
	tasks    []*placed

	truths []*truth
}

func (w *world) addAgent(name string, m machine) *agent {
	a := &agent{w: w, name: name, machine: m, skew: w.between(0, w.faults.skew) - w.faults.skew/2}
	w.agents = append(w.agents, a)
	a.join()
	return a
}

// join gets the host its key, then starts the agent.
func (a *agent) join() {
	who := identity.RoleSession(instanceRole, "i-"+a.name)
	who.Agent = true
	if a.w.server.grant("key-"+a.name, who) {
		a.start()
		return
	}
	a.w.after(time.Second, a.join)
}

func (w *world) agentOf(instance string) *agent {
	return w.agents[slices.IndexFunc(w.agents, func(a *agent) bool { return a.instance == instance })]
}

func (a *agent) clock() time.Time { return a.w.now.Add(a.skew) }

func (a *agent) find(arn string) *placed {
	i := slices.IndexFunc(a.tasks, func(p *placed) bool { return p.arn() == arn })
	if i < 0 {
		return nil
	}
	return a.tasks[i]
}

func (a *agent) start() {
	if a.off {
		return
	}
	a.up = true
	a.life++
	for _, p := range a.tasks {
		p.adopt()
	}
	a.register()
}

func (a *agent) crash() {
	if !a.up {
		return
	}
	a.w.crashes++
	a.w.say("agent %s crashes", a.name)
	a.stop()
	a.w.after(a.w.between(10*time.Millisecond, max(time.Second, a.w.faults.outage)), a.restart)
}

// stop ends the process; containers run on.
func (a *agent) stop() {
	a.up, a.dialing = false, false
	if s := a.stream; s != nil {
		a.stream = nil
		if a.cut {
			s.breakUp(silence)
		} else {
			s.breakUp(latencyMax)
		}
	}
}

func (a *agent) restart() {
	if !a.up && !a.off {
		a.w.say("agent %s starts", a.name)
		a.start()
	}
}

// retire is the end of a host: its session is over, and some time later so is the
// machine.
func (a *agent) retire() {
	a.retired = true
	if a.stream != nil {
		a.stream.breakUp(latencyMax)
	}
	a.w.after(a.w.between(0, time.Minute), func() {
		a.w.say("%s is switched off", a.name)
		a.stop()
		a.off, a.tasks, a.truths = true, nil, nil
	})
}

// partition takes the host off the network for a while.
func (a *agent) partition(d time.Duration) {
	if a.cut {
		return
	}
	a.w.say("agent %s is cut off", a.name)
	a.cut = true
	a.w.after(d, func() {
		if a.cut {
			a.w.say("agent %s is back on the network", a.name)
			a.cut = false
		}
	})
}

// later does something unless the process has ended meanwhile.
func (a *agent) later(d time.Duration, do func()) {
	life := a.life
	a.w.after(d, func() {
		if a.up && a.life == life {
			do()
		}
	})
}

func (a *agent) caller() caller {
	life := a.life
	return caller{key: "key-" + a.name, cut: func() bool { return a.cut }, dead: func() bool { return !a.up || a.life != life }}
}

var instanceRole = scope.Global("iam", "role/ecsInstanceRole")

// register tells the server what the host has, until it listens.
func (a *agent) register() {
	text := func(s string) *string { return &s }
	number := func(n int) *int32 { m := int32(n); return &m }
	in := &ecs.RegisterContainerInstanceRequest{
		Cluster: text("default"), InstanceIdentityDocument: text(`{"instanceId": "i-` + a.name + `"}`),
		TotalResources: []ecs.Resource{
			{Name: text("CPU"), Type: text("INTEGER"), IntegerValue: number(a.machine.cpu)},
			{Name: text("MEMORY"), Type: text("INTEGER"), IntegerValue: number(a.machine.memory)},
			{Name: text("PORTS"), Type: text("STRINGSET"), StringSetValue: []string{"22"}},
		},
		Attributes: []ecs.Attribute{{Name: text(acs.BerthCapability)}},
	}
	for _, c := range workload.AgentCapabilities() {
		in.Attributes = append(in.Attributes, ecs.Attribute{Name: &c.Name})
	}
	for n := range a.machine.gpus {
		in.PlatformDevices = append(in.PlatformDevices, ecs.PlatformDevice{Id: text("gpu-" + strconv.Itoa(n)), Type: ecs.PlatformDeviceTypeGpu})
	}
	if a.machine.fargate > 0 {
		in.Attributes = append(in.Attributes,
			ecs.Attribute{Name: text(acs.AttributeOffersFargate), Value: text("true")},
			ecs.Attribute{Name: text(acs.AttributeFargateOvercommit), Value: text(strconv.Itoa(a.machine.fargate))})
	}
	if a.instance != "" {
		in.ContainerInstanceArn = &a.instance
	}
	a.w.request(a.caller(), "RegisterContainerInstance", in, func(out any, err error) {
		if a.retired {
			return
		}
		if err != nil {
			a.unexpected("register", err)
			a.later(a.w.between(time.Second, 3*time.Second), a.register)
			return
		}
		a.instance = *out.(*ecs.RegisterContainerInstanceResponse).ContainerInstance.ContainerInstanceArn
		a.w.names[a.instance], a.w.names[a.instance[strings.LastIndexByte(a.instance, '/')+1:]] = a.name, a.name
		a.dial()
	})
}

// unexpected is a refusal that nothing in a simulation should cause.
func (a *agent) unexpected(what string, err error) {
	if !transient(err) {
		a.w.expect(fmt.Errorf("agent %s: %s: %w", a.name, what, err))
	}
}

// transient errors are tried again.
func transient(err error) bool {
	var f *fault.Fault
	return !errors.As(err, &f) || f.Kind.OurFault()
}

// dial opens a session, until one is open. A deregistered instance gets none.
func (a *agent) dial() {
	if a.dialing || a.stream != nil || a.retired {
		return
	}
	a.dialing = true
	life := a.life
	s := &stream{w: a.w, cut: func() bool { return a.cut }, serverLost: func() {}, upOK: func() bool { return true }}
	s.downOpen = func() bool { return a.up && a.life == life }
	s.agentLost = func() {
		if a.stream == s {
			a.stream = nil
			a.dial()
		}
	}
	a.later(requestPatience, func() {
		if a.dialing && a.stream == nil {
			a.dialing = false
			s.breakUp(latencyMax)
			a.dial()
		}
	})
	s.toServer(func() {
		if a.w.server.up {
			a.w.server.accept(a, s)
		}
	})
}

// welcome is the first word of a session.
func (a *agent) welcome(s *stream) {
	if a.stream == nil {
		a.stream, a.dialing = s, false
	} else if a.stream != s {
		s.breakUp(latencyMax)
	}
}

// receive takes orders: new tasks, and stops of those it has.
func (a *agent) receive(orders []*task.Order) {
	for _, o := range orders {
		p := a.find(o.ARN)
		if p == nil {
			p = newPlaced(a, o)
			a.tasks = append(a.tasks, p)
			if o.Desired == task.Stopped {
				p.never()
			}
		}
		if o.Desired == task.Stopped {
			p.wantStop()
		}
		p.advance()
	}
}

// compare looks for tasks that run here though the server does not list them.
func (a *agent) compare(wanted map[string]task.Status, x *session) {
	var strays []string
	for _, p := range a.tasks {
		if !p.done && !p.local.StopWanted && wanted[p.arn()] != task.Running {
			strays = append(strays, p.arn())
		}
	}
	if len(strays) > 0 {
		x.stream.toServer(func() { x.verify(strays) })
	}
}

func (a *agent) stopStrays(arns []string) {
	for _, arn := range arns {
		if p := a.find(arn); p != nil {
			p.wantStop()
			p.advance()
		}
	}
}
