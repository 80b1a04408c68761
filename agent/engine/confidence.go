package engine

import (
	"context"
	"errors"
	"maps"

	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/domain/task"
)

var errNoSecrets = errors.New("unable to pull secrets or registry auth: this machine does not fetch secrets, environment files or private registry credentials")

// What containers are told in confidence is fetched when their task is prepared and
// kept in memory until it ends. An engine that starts again fetches it when it makes
// a container of the task.

// confidences are those of the task's containers.
func (e *Engine) confidences(ctx context.Context, o *task.Order) (secret.Values, error) {
	if !secret.Wanted(o) {
		return nil, nil
	}
	e.mu.Lock()
	told, known := e.told[o.ARN]
	e.mu.Unlock()
	if known {
		return told, nil
	}
	got, err, _ := e.asking.Do(o.ARN, func() (any, error) { return e.ask(ctx, o) })
	if err != nil {
		return nil, err
	}
	return got.(secret.Values), nil
}

func (e *Engine) ask(ctx context.Context, o *task.Order) (secret.Values, error) {
	if e.config.Secrets == nil {
		return nil, errNoSecrets
	}
	told, err := e.config.Secrets.Fetch(ctx, e.current(o))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told[o.ARN] = told
	return told, nil
}

func (e *Engine) confidence(ctx context.Context, o *task.Order, c *task.OrderContainer) (secret.Container, error) {
	all, err := e.confidences(ctx, o)
	return all[c.Name], err
}

func (e *Engine) forgetConfidences(arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.told, arn)
}

// current is the order with the keys that its execution role has now.
func (e *Engine) current(o *task.Order) *task.Order {
	keys := e.ExecutionKeys(o.ARN)
	if keys == nil || keys == o.ExecutionRole {
		return o
	}
	now := *o
	now.ExecutionRole = keys
	return &now
}

// confidential are the variables that a container gets from its environment files,
// unless its definition sets them, and from its secrets, over both.
func confidential(c *task.OrderContainer, told secret.Container) []string {
	files := maps.Clone(told.Environment)
	for _, v := range c.Environment {
		delete(files, v.Name)
	}
	return appendSorted(appendSorted(nil, files), told.Secrets)
}

func merged(options, more map[string]string) map[string]string {
	out := make(map[string]string, len(options)+len(more))
	maps.Copy(out, options)
	maps.Copy(out, more)
	return out
}
