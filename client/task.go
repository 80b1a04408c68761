package client

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Task is a task as DescribeTasks shows it, as far as the command line looks.
type Task struct {
	TaskARN       string `json:"taskArn"`
	ClusterARN    string `json:"clusterArn"`
	LastStatus    string `json:"lastStatus"`
	StoppedReason string `json:"stoppedReason"`
	StopCode      string `json:"stopCode"`
	Definition    string `json:"taskDefinitionArn"`
	Containers    []struct {
		Name     string `json:"name"`
		ExitCode *int   `json:"exitCode"`
		Reason   string `json:"reason"`
	} `json:"containers"`
}

// ID is the last part of the task's ARN.
func (t *Task) ID() string { return t.TaskARN[strings.LastIndexByte(t.TaskARN, '/')+1:] }

// Failure is one entry of failures[].
type Failure struct {
	ARN    string `json:"arn"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// DescribeTask finds one task by ARN or id.
func (c *Client) DescribeTask(ctx context.Context, cluster, task string) (*Task, error) {
	var out struct {
		Tasks    []Task    `json:"tasks"`
		Failures []Failure `json:"failures"`
	}
	if err := c.Call(ctx, ECS, "DescribeTasks", map[string]any{"cluster": cluster, "tasks": []string{task}}, &out); err != nil {
		return nil, err
	}
	if len(out.Tasks) == 0 {
		return nil, fmt.Errorf("no task %s in cluster %s", task, cluster)
	}
	return &out.Tasks[0], nil
}

// ServiceTasks lists the ARNs of the tasks of a service that are wanted running. The
// service may be named or given as an ARN.
func (c *Client) ServiceTasks(ctx context.Context, cluster, service string) ([]string, error) {
	in := map[string]any{"cluster": cluster, "serviceName": service[strings.LastIndexByte(service, '/')+1:]}
	var all []string
	for {
		var page struct {
			Tasks []string `json:"taskArns"`
			Next  string   `json:"nextToken"`
		}
		if err := c.Call(ctx, ECS, "ListTasks", in, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Tasks...)
		if page.Next == "" {
			return all, nil
		}
		in["nextToken"] = page.Next
	}
}

// WaitTask polls a task until it has the status or has stopped; meanwhile, when
// not nil, is called with each state seen.
func (c *Client) WaitTask(ctx context.Context, cluster, task, status string, meanwhile func(*Task) error) (*Task, error) {
	for {
		t, err := c.DescribeTask(ctx, cluster, task)
		if err != nil {
			return nil, err
		}
		if meanwhile != nil {
			if err := meanwhile(t); err != nil {
				return nil, err
			}
		}
		if t.LastStatus == status || t.LastStatus == "STOPPED" {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
