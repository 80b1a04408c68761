// Package gvisor lets the runc shim hold containers of gVisor that share one
// sandbox. It is a program in runsc's place: it hands every command on, with
// berth's flags, and mends two differences to runc.
//
// runsc gives a container that joins a sandbox its input and output when it is
// started, not when it is created; and such a container has no process on the host
// whose end could be waited for. So "create" leaves a monitor behind, which keeps
// input and output open, starts the container with them when told, and ends with
// the container's exit code.
package gvisor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Name is the file of cmd/berth-gvisor.
const Name = "berth-gvisor"

// RealName is where, beside this program, a link to runsc lies.
const RealName = "runsc-real"

// flags set what gVisor does for every sandbox. systrap needs neither KVM nor
// ptrace rights; its network stack is its own.
var flags = []string{"--platform=systrap", "--network=sandbox"}

// command is one call of an OCI runtime: runc's words, as the shim speaks them.
type command struct {
	runsc  string   // path of the real one
	global []string // flags before the verb
	verb   string
	rest   []string // flags and arguments after the verb
}

// parse splits arguments. Global flags of the shim come as "--name value" or
// "--name".
func parse(runsc string, args []string) command {
	c := command{runsc: runsc}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		n := 1
		if takesValue(args[0]) && len(args) > 1 {
			n = 2
		}
		c.global = append(c.global, args[:n]...)
		args = args[n:]
	}
	if len(args) > 0 {
		c.verb, c.rest = args[0], args[1:]
	}
	return c
}

func takesValue(flag string) bool {
	switch strings.TrimLeft(flag, "-") {
	case "root", "log", "log-format", "bundle", "pid-file", "console-socket", "process", "format", "preserve-fds":
		return true
	}
	return false
}

// flag is the value of a flag, before or after the verb.
func (c command) flag(name string) string {
	for _, args := range [][]string{c.global, c.rest} {
		for i, a := range args {
			if strings.TrimLeft(a, "-") == name && i+1 < len(args) {
				return args[i+1]
			}
		}
	}
	return ""
}

// operand is the n-th argument after the verb that belongs to no flag.
func (c command) operand(n int) string {
	for i := 0; i < len(c.rest); i++ {
		if strings.HasPrefix(c.rest[i], "-") {
			if takesValue(c.rest[i]) {
				i++
			}
			continue
		}
		if n == 0 {
			return c.rest[i]
		}
		n--
	}
	return ""
}

// args is the real runsc's command line for a verb.
func (c command) args(verb string, rest ...string) []string {
	out := append([]string{c.runsc}, flags...)
	out = append(append(out, c.global...), verb)
	return append(out, rest...)
}

// become replaces this process by runsc doing the whole command.
func (c command) become() error {
	return syscall.Exec(c.runsc, c.args(c.verb, c.rest...), os.Environ())
}

// do runs one verb with this process's input and output.
func (c command) do(verb string, rest ...string) error {
	cmd := exec.Command(c.runsc, c.args(verb, rest...)[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

// askPatience is how long a sandbox may take to list its processes. runsc goes on
// for a minute with one that was killed while it began; an agent that adopts
// containers asks each, and serves nobody meanwhile.
const askPatience = 5 * time.Second

// ask is do for a question.
func (c command) ask() error {
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.runsc, c.args(c.verb, c.rest...)[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("the sandbox did not answer within %v", askPatience)
}

// joins tells whether the bundle's container joins a sandbox that is there.
func joins(bundle string) (bool, error) {
	data, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return false, err
	}
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		return false, fmt.Errorf("read %s: %w", bundle, err)
	}
	return spec.Annotations["io.kubernetes.cri.container-type"] == "container", nil
}
