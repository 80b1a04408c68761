package fields_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
)

// client is one of AWS's.
type client interface {
	// call answers in JSON's terms; an error of the service is a *refusal.
	call(ctx context.Context, operation string, request map[string]any) (map[string]any, error)
	// knows is what the client's model has of an operation: the fields of its
	// request and answer. known is false for an operation that came later.
	knows(operation string) (request, answer map[string]bool, known bool)
}

// refusal is an error as a client shows it.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

// sdk is aws-sdk-go-v2.
type sdk struct {
	client *ecs.Client
	model  map[string]operation
}

func newSDK(c *ecs.Client) *sdk {
	s := &sdk{c, map[string]operation{}}
	for _, o := range operations() {
		s.model[o.name] = o
	}
	return s
}

func (s *sdk) knows(name string) (request, answer map[string]bool, known bool) {
	o, ok := s.model[name]
	if !ok {
		return nil, nil, false
	}
	return set(leaves(o.in)), set(leaves(o.out)), true
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

func (s *sdk) call(ctx context.Context, name string, request map[string]any) (map[string]any, error) {
	in := reflect.New(s.model[name].in)
	if err := fill(in.Elem(), request); err != nil {
		return nil, err
	}
	method := reflect.ValueOf(s.client).MethodByName(name)
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := out[1].Interface().(error); err != nil {
		if api := smithy.APIError(nil); errors.As(err, &api) {
			return nil, &refusal{api.ErrorCode(), api.ErrorMessage()}
		}
		return nil, err
	}
	return plain(out[0]).(map[string]any), nil
}

// boto3 is testdata/calls.py, which answers calls line by line.
type boto3 struct {
	cmd     *exec.Cmd
	to      io.WriteCloser
	from    *bufio.Reader
	version string
	model   map[string]struct{ Request, Answer []string }
}

func startBoto3(ctx context.Context, python string, environ []string) (*boto3, error) {
	b := &boto3{cmd: exec.CommandContext(ctx, python, "testdata/calls.py")}
	b.cmd.Env, b.cmd.Stderr = environ, os.Stderr
	var err error
	if b.to, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.from = bufio.NewReader(out)
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	var hello struct {
		Version string
		Model   map[string]struct{ Request, Answer []string }
	}
	err = b.read(&hello)
	b.version, b.model = hello.Version, hello.Model
	return b, err
}

func (b *boto3) read(into any) error {
	line, err := b.from.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("calls.py: %w", err)
	}
	return json.Unmarshal(line, into)
}

func (b *boto3) end() error { return errors.Join(b.to.Close(), b.cmd.Wait()) }

func (b *boto3) knows(name string) (request, answer map[string]bool, known bool) {
	m, ok := b.model[name]
	return set(m.Request), set(m.Answer), ok
}

func (b *boto3) call(_ context.Context, name string, request map[string]any) (map[string]any, error) {
	line, err := json.Marshal(map[string]any{"operation": name, "request": request})
	if err != nil {
		return nil, err
	}
	if _, err := b.to.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	var answer struct {
		Answer map[string]any
		Error  *refusal
		Broken string
	}
	if err := b.read(&answer); err != nil {
		return nil, err
	}
	switch {
	case answer.Broken != "":
		return nil, errors.New(answer.Broken)
	case answer.Error != nil:
		return nil, answer.Error
	}
	return answer.Answer, nil
}
