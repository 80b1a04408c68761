package why

import (
	"fmt"
	"strings"

	"github.com/berthhq/berth/domain/image"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

// ended is a container that runs no more, or never did.
func (a *about) ended(n *Node, o *task.Container, def *workload.Container) {
	if n.Detail == nil {
		n.Detail = map[string]any{}
	}
	if o.ExitCode != nil {
		n.Detail["exitCode"] = *o.ExitCode
	}
	r := explain(o.Reason)
	switch {
	case o.Reason != "" && o.Reason == a.task.StoppedReason(): // which is explained above
		n.Says = fmt.Sprintf("Container %s is the one that failed.", o.Name)
	case r != nil:
		n.Says = fmt.Sprintf("Container %s failed: %s (%s).", o.Name, r.means, strings.TrimSuffix(o.Reason, "."))
		n.Hint = r.hintFor(o.Reason)
	case o.ExitCode == nil && o.Reason != "":
		n.Says = sentence(fmt.Sprintf("Container %s was not started: ", o.Name), o.Reason)
	case o.ExitCode == nil:
		n.Says = fmt.Sprintf("Container %s was never started.", o.Name)
	default:
		a.exited(n, o)
	}
	switch {
	case strings.HasPrefix(o.Reason, outOfMemory):
		a.sizes(n, def)
	case strings.HasPrefix(o.Reason, cannotPull):
		n.add(a.image(def.Image))
	}
	if len(n.Detail) == 0 {
		n.Detail = nil
	}
}

// exited is a container that ended by itself, or was ended.
func (a *about) exited(n *Node, o *task.Container) {
	code := *o.ExitCode
	means, failed := exitMeaning(code)
	asked := !a.task.Desired.StoppingAt.IsZero()
	switch {
	case code == 137 && asked:
		means = "it was killed, for it did not end within its stop timeout after SIGTERM"
		n.Hint = "end on SIGTERM (a shell as the first process does not pass it on; see initProcessEnabled), or raise stopTimeout"
	case code == 143 && asked:
		means = "it ended on SIGTERM, as it was asked to"
	case code == 137:
		n.Hint = "something on its machine killed it: look for the kernel's out-of-memory killer there"
	case failed:
		n.Hint = "read what it printed: berth logs " + a.task.ID
	}
	n.Says = fmt.Sprintf("Container %s ended with exit code %d: %s.", o.Name, code, means)
	if o.Reason != "" {
		n.Says = fmt.Sprintf("Container %s ended with exit code %d: %s (%s).", o.Name, code, means, strings.TrimSuffix(o.Reason, "."))
	}
}

// exitMeaning is what an exit code says by the customs of shells.
func exitMeaning(code int) (means string, failed bool) {
	switch {
	case code == 0:
		return "it was done", false
	case code == 126:
		return "its command is there but cannot be executed", true
	case code == 127:
		return "its command was not found", true
	case code > 128 && code < 160:
		if s, ok := signals[code-128]; ok {
			return "it was ended by " + s, true
		}
		return fmt.Sprintf("it was ended by signal %d", code-128), true
	}
	return "its program says that it failed", true
}

var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL, an illegal instruction", 6: "SIGABRT, which programs send themselves",
	7: "SIGBUS", 8: "SIGFPE, an arithmetic error", 9: "SIGKILL", 11: "SIGSEGV, an access to memory that is not its own",
	13: "SIGPIPE, a write that nobody reads", 15: "SIGTERM",
}

// sizes adds the limits of memory that held for a container.
func (a *about) sizes(n *Node, def *workload.Container) {
	if def.Memory != nil {
		n.Detail["memoryLimitMiB"] = *def.Memory
	}
	if mib, ok := workload.ParseMemory(a.task.Spec.Memory); ok {
		n.Detail["taskMemoryMiB"] = mib
	}
}

// image says where the image of a name is looked for.
func (a *about) image(written string) *Node {
	if written == "" {
		return nil
	}
	n := &Node{Subject: "image " + written}
	ref, err := image.ParseReference(written)
	if err != nil {
		n.Says = sentence(fmt.Sprintf("The name %s cannot be an image's: ", written), err.Error())
		return n
	}
	var places, whys []string
	for _, s := range (image.Resolver{Scope: a.task.Scope, Hosts: a.Registry}).Resolve(ref) {
		place := s.String()
		if s.Own {
			place = "berth's registry"
		}
		places, whys = append(places, s.String()), append(whys, place+" ("+s.Why+")")
	}
	n.Says = fmt.Sprintf("Image %s is looked for in %s.", written, strings.Join(whys, ", then in "))
	n.Detail = map[string]any{"sources": places}
	return n
}
