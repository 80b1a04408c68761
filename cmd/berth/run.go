package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/berthhq/berth/client"
)

// runLogGroup holds the output of `berth run`.
const runLogGroup = "/berth/run"

type runFlags struct {
	data, cluster, role, cpu, memory string
	fargate                          bool
	gpus                             int
	image                            string
	command                          []string
}

func parseRun(args []string) (*runFlags, error) {
	r := &runFlags{}
	fs, data := flags("run")
	fs.StringVar(&r.cluster, "cluster", "default", "cluster to run in")
	fs.BoolVar(&r.fargate, "fargate", false, "run on Fargate instead of EC2")
	fs.IntVar(&r.gpus, "gpus", 0, "GPUs to give the container")
	fs.StringVar(&r.role, "role", "", "task role, name or ARN")
	fs.StringVar(&r.cpu, "cpu", "256", "CPU units")
	fs.StringVar(&r.memory, "memory", "512", "MiB of memory")
	args, r.command = cutCommand(args)
	// The image may stand before the flags, as people write it.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		r.image, args = args[0], args[1:]
	}
	if err := parse(fs, args); err != nil {
		return nil, err
	}
	if r.image == "" {
		r.image = fs.Arg(0)
	}
	if r.image == "" {
		return nil, misuse{errors.New("usage: berth run IMAGE [--fargate] [--gpus N] [--role R] [-- COMMAND]")}
	}
	r.data = *data
	return r, nil
}

func cutCommand(args []string) (before, after []string) {
	for i, a := range args {
		if a == "--" {
			return args[:i], args[i+1:]
		}
	}
	return args, nil
}

// run registers a definition for the image, runs it, prints its output as it
// comes and ends with the container's exit code.
func run(ctx context.Context, args []string) error {
	r, err := parseRun(args)
	if err != nil {
		return err
	}
	place, err := client.Find(r.data)
	if err != nil {
		return err
	}
	c := client.New(place)
	def, err := r.register(ctx, c)
	if err != nil {
		return err
	}
	t, err := r.start(ctx, c, def)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "task", t.TaskARN)
	streams, err := c.TaskStreams(ctx, t)
	if err != nil {
		return err
	}
	end, err := c.WaitTask(ctx, r.cluster, t.TaskARN, "STOPPED", func(*client.Task) error { return copyAll(ctx, c, streams) })
	if ctx.Err() != nil {
		return r.interrupted(c, t)
	}
	if err != nil {
		return err
	}
	if err := copyRest(ctx, c, streams); err != nil {
		return err
	}
	return exitOf(end)
}

func (r *runFlags) register(ctx context.Context, c *client.Client) (arn string, err error) {
	container := map[string]any{
		"name": "main", "image": r.image, "essential": true,
		"logConfiguration": map[string]any{"logDriver": "awslogs", "options": map[string]string{
			"awslogs-group": runLogGroup, "awslogs-region": c.Region, "awslogs-stream-prefix": "run", "awslogs-create-group": "true",
		}},
	}
	if len(r.command) > 0 {
		container["command"] = r.command
	}
	if r.gpus > 0 {
		container["resourceRequirements"] = []map[string]string{{"type": "GPU", "value": fmt.Sprint(r.gpus)}}
	}
	in := map[string]any{"family": "run-" + familyOf(r.image), "containerDefinitions": []any{container}, "cpu": r.cpu, "memory": r.memory}
	if r.role != "" {
		in["taskRoleArn"] = r.role
	}
	if r.fargate {
		in["networkMode"], in["requiresCompatibilities"] = "awsvpc", []string{"FARGATE"}
		in["executionRoleArn"] = "ecsTaskExecutionRole"
	}
	var out struct {
		Definition struct {
			ARN string `json:"taskDefinitionArn"`
		} `json:"taskDefinition"`
	}
	err = c.Call(ctx, client.ECS, "RegisterTaskDefinition", in, &out)
	return out.Definition.ARN, err
}

// familyOf makes a family name of an image reference.
func familyOf(image string) string {
	name, _, _ := strings.Cut(path.Base(image), "@")
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", r) {
			return r
		}
		return '-'
	}, name)
}

func (r *runFlags) start(ctx context.Context, c *client.Client, def string) (*client.Task, error) {
	in := map[string]any{"cluster": r.cluster, "taskDefinition": def, "launchType": "EC2", "startedBy": "berth-run"}
	if r.fargate {
		in["launchType"] = "FARGATE"
		subnets, err := c.DefaultSubnets(ctx)
		if err != nil {
			return nil, err
		}
		in["networkConfiguration"] = map[string]any{"awsvpcConfiguration": map[string]any{"subnets": subnets, "assignPublicIp": "ENABLED"}}
	}
	var out struct {
		Tasks    []client.Task    `json:"tasks"`
		Failures []client.Failure `json:"failures"`
	}
	if err := c.Call(ctx, client.ECS, "RunTask", in, &out); err != nil {
		return nil, err
	}
	if len(out.Tasks) == 0 {
		var why []string
		for _, f := range out.Failures {
			why = append(why, strings.TrimSpace(f.Reason+" "+f.Detail))
		}
		return nil, fmt.Errorf("the task was not placed: %s", strings.Join(why, "; "))
	}
	return &out.Tasks[0], nil
}

// interrupted stops the task when the user has had enough.
func (r *runFlags) interrupted(c *client.Client, t *client.Task) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Call(ctx, client.ECS, "StopTask", map[string]any{"cluster": r.cluster, "task": t.TaskARN, "reason": "interrupted"}, nil); err != nil {
		return fmt.Errorf("the task goes on: %w", err)
	}
	return exitStatus(130)
}

func copyAll(ctx context.Context, c *client.Client, streams []*client.Stream) error {
	for _, s := range streams {
		if err := c.Copy(ctx, s, os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

// copyRest waits a moment for the last lines: the agent ships them as the task
// stops, and a task is shown STOPPED no later than they are on their way.
func copyRest(ctx context.Context, c *client.Client, streams []*client.Stream) error {
	for range 10 {
		if err := copyAll(ctx, c, streams); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func exitOf(t *client.Task) error {
	for _, con := range t.Containers {
		if con.ExitCode == nil {
			return fmt.Errorf("%s: %s %s", t.StopCode, t.StoppedReason, con.Reason)
		}
		if *con.ExitCode != 0 {
			if con.Reason != "" {
				fmt.Fprintln(os.Stderr, con.Reason)
			}
			return exitStatus(*con.ExitCode)
		}
	}
	return nil
}
