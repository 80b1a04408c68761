package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/shape/ecs"
)

// Play performs a script in a world without faults of its own and returns it with
// what happened. A script has one command a line; lines that are indented are what
// happened, and written anew; comments begin with #. The commands:
//
//	host NAME [cpu=N] [memory=N] [fargate=N]   a host joins
//	definition NAME [cpu=N] [memory=N] [lives=D] [code=N] [missing] [fargate] [secret=S]
//	create NAME definition=D [count=N] [daemon] [follow] CONFIGURATION
//	create NAME count=N external
//	update NAME [count=N] [definition=D] [force] CONFIGURATION
//	delete NAME [force]
//	set SET service=NAME definition=D scale=PERCENT    of a service created external
//	scale SET to=PERCENT | promote SET | drop SET [force]
//	rollback NAME | abort NAME                 stop the rollout under way
//	continue NAME | refuse NAME                answer the hooks it waits for
//	alarm NAME STATE
//	rotate SECRET                              it gets a new version, the first time too
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
		"rotate":   p.rotate,
		"set":      p.set, "scale": p.scale, "promote": p.promote, "drop": p.drop,
		"protect": p.protect, "unprotect": p.protect, "stop": p.stop,
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
