package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berthhq/berth/client"
)

// serve makes a service of so many tasks.
func (s *server) serve(ctx context.Context, name, definition string, tasks int) error {
	return s.client.Call(ctx, client.ECS, "CreateService", map[string]any{
		"serviceName": name, "taskDefinition": definition, "desiredCount": tasks,
	}, nil)
}

// populate makes services and waits until their tasks run.
func (s *server) populate(ctx context.Context, definition string, services, tasks int) error {
	names := make([]string, services)
	for i := range names {
		names[i] = fmt.Sprintf("service-%d", i)
		if err := s.serve(ctx, names[i], definition, tasks); err != nil {
			return err
		}
	}
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var out struct {
			Services []struct {
				Running int `json:"runningCount"`
			} `json:"services"`
		}
		if err := s.client.Call(ctx, client.ECS, "DescribeServices", map[string]any{"services": names}, &out); err != nil {
			return err
		}
		running := 0
		for _, one := range out.Services {
			running += one.Running
		}
		if running == services*tasks {
			return nil
		}
	}
	return errors.New("services do not get their tasks")
}
