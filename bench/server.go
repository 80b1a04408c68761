package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/client"
)

// server is a control plane in a process of its own, with a fresh store on disk.
type server struct {
	*process
	dir    string
	place  client.Place
	client *client.Client
}

func (b *bench) startServer(ctx context.Context, environment ...string) (*server, error) {
	dir, err := os.MkdirTemp(b.dir, "server-")
	if err != nil {
		return nil, err
	}
	listen, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p, err := start("server", dir, environment, filepath.Join(b.bin, "berth"), "server", "--data", filepath.Join(dir, "data"), "--listen", listen, "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	s := &server{process: p, dir: dir}
	err = p.until(ctx, func() (err error) {
		if s.place, err = client.Find(filepath.Join(dir, "data")); err != nil {
			return err
		}
		s.client = client.New(s.place)
		return s.client.Call(ctx, client.ECS, "ListClusters", map[string]any{}, nil)
	})
	if err != nil {
		return nil, firstOf(err, s.close())
	}
	return s, nil
}

func (s *server) close() error { return firstOf(s.process.close(), os.RemoveAll(s.dir)) }

// register registers a task definition and returns its ARN.
func register(ctx context.Context, c *client.Client, definition map[string]any) (string, error) {
	var out struct {
		Definition struct {
			ARN string `json:"taskDefinitionArn"`
		} `json:"taskDefinition"`
	}
	err := c.Call(ctx, client.ECS, "RegisterTaskDefinition", definition, &out)
	return out.Definition.ARN, err
}

// small is a definition that simulated agents run.
func small(ctx context.Context, c *client.Client) (string, error) {
	return register(ctx, c, map[string]any{
		"family": "small", "requiresCompatibilities": []string{"EC2"},
		"containerDefinitions": []any{map[string]any{"name": "main", "image": "none", "cpu": 10, "memory": 32}},
	})
}

// runTask makes one call of RunTask and returns the ARNs of the tasks.
func runTask(ctx context.Context, c *client.Client, in map[string]any) ([]string, error) {
	var out struct {
		Tasks    []client.Task    `json:"tasks"`
		Failures []client.Failure `json:"failures"`
	}
	if err := c.Call(ctx, client.ECS, "RunTask", in, &out); err != nil {
		return nil, err
	}
	if len(out.Failures) > 0 {
		return nil, fmt.Errorf("RunTask: %s %s", out.Failures[0].Reason, out.Failures[0].Detail)
	}
	arns := make([]string, len(out.Tasks))
	for i, t := range out.Tasks {
		arns[i] = t.TaskARN
	}
	return arns, nil
}
