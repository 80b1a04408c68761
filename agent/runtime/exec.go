package runtime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	taskruntime "github.com/containerd/containerd/v2/core/runtime"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// ErrTimeout means that a program did not end in its time and was killed.
var ErrTimeout = errors.New("timed out")

// outputKept is how much of a program's output Exec returns, as Docker's health
// checks do.
const outputKept = 4096

// Exec runs a program in a running container with the container's environment,
// user and directory, and returns its exit code and the beginning of what it
// wrote. After timeout (0: never) it is killed and the error is ErrTimeout.
func (r *Runtime) Exec(ctx context.Context, id string, args []string, timeout time.Duration) (code int, output string, err error) {
	p, err := r.find(id)
	if err != nil {
		return 0, "", err
	}
	if p.task == nil {
		return 0, "", fmt.Errorf("%w: %s has no process any more", ErrNotFound, id)
	}
	ctx = r.quiet(ctx)
	spec, err := r.execSpec(id, args)
	if err != nil {
		return 0, "", err
	}
	out := filepath.Join(r.config.State, "exec-"+rand.Text())
	defer os.Remove(out)
	proc, err := p.task.Exec(ctx, "exec-"+rand.Text(), taskruntime.ExecOpts{
		Spec: typeurl.MarshalProto(spec), IO: taskruntime.IO{Stdout: "file://" + out, Stderr: "file://" + out},
	})
	if err != nil {
		return 0, "", fmt.Errorf("exec in container %s: %w", id, err)
	}
	defer func() { _, _ = proc.Delete(context.WithoutCancel(ctx)) }()
	code, err = runToEnd(ctx, proc, timeout)
	if err != nil && !errors.Is(err, ErrTimeout) {
		err = fmt.Errorf("exec in container %s: %w", id, err)
	}
	return code, head(out), err
}

// execSpec is the container's first process with other arguments. Only the bundle
// knows all of its environment.
func (r *Runtime) execSpec(id string, args []string) (typeurl.Any, error) {
	text, err := os.ReadFile(filepath.Join(r.config.bundleState(), storage.Namespace, id, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("exec in container %s: read its bundle: %w", id, err)
	}
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("exec in container %s: read its bundle: %w", id, err)
	}
	s.Process.Args, s.Process.Terminal = args, false
	return typeurl.MarshalAny(s.Process)
}

func runToEnd(ctx context.Context, proc taskruntime.ExecProcess, timeout time.Duration) (int, error) {
	if err := proc.Start(ctx); err != nil {
		return 0, err
	}
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		bounded, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	exit, err := proc.Wait(bounded)
	if err == nil {
		return int(exit.Status), nil
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), lateExit)
	defer done()
	killErr := proc.Kill(last, uint32(unix.SIGKILL), true)
	_, _ = proc.Wait(last)
	if bounded.Err() != nil && ctx.Err() == nil {
		return lostCode, ErrTimeout
	}
	return lostCode, errors.Join(err, killErr)
}

func head(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, outputKept))
	return string(data)
}
