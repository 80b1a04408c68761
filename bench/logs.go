package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	manyLines = 200_000
	ticking   = 10 * time.Second
	logGroup  = "bench"
)

// logLines measures budget 20 through everything: a container, the logger, the
// agent, PutLogEvents, the archive, GetLogEvents.
func logLines(ctx context.Context, b *bench) (result, error) {
	h, err := b.house(ctx)
	if err != nil {
		return result{}, err
	}
	definition, err := register(ctx, h.client, map[string]any{
		"family": "logs", "requiresCompatibilities": []string{"EC2"},
		"containerDefinitions": []any{map[string]any{"name": "main", "image": image, "memory": 64, "logConfiguration": logged("lines")}},
	})
	if err != nil {
		return result{}, err
	}
	delays, err := h.delays(ctx, definition)
	if err != nil {
		return result{}, err
	}
	rate, lost, err := h.flood(ctx, definition)
	return result{Figures: []figure{
		{Name: "p50", Value: delays.at(50), Unit: "ms"},
		{Name: "p99", Value: delays.at(99), Unit: "ms", Most: 2000},
		{Name: "one container ships", Value: rate, Unit: "lines/s", Least: 50_000},
		{Name: "lost", Value: float64(lost), Unit: "lines"},
	}, Note: fmt.Sprintf("%d lines of 100 bytes, blocking mode", manyLines)}, err
}

// logged is a log configuration that loses nothing.
func logged(prefix string) map[string]any {
	return map[string]any{"logDriver": "awslogs", "options": map[string]string{
		"awslogs-group": logGroup, "awslogs-region": "us-east-1", "awslogs-stream-prefix": prefix, "awslogs-create-group": "true", "mode": "blocking",
	}}
}

// delays are those of lines that a container prints two hundred times a second.
func (h *house) delays(ctx context.Context, definition string) (durations, error) {
	arns, err := runTask(ctx, h.client, map[string]any{"taskDefinition": definition, "overrides": overrides("ticks", ticking.String())})
	if err != nil {
		return nil, err
	}
	var all durations
	err = h.read(ctx, arns[0], func(line string) (bool, error) {
		if line == "end" {
			return true, nil
		}
		at, err := moment(line)
		all = append(all, time.Since(at))
		return false, err
	})
	return all, err
}

// flood is how many lines a second become readable when a container prints as
// fast as it can, and how many never did.
func (h *house) flood(ctx context.Context, definition string) (rate float64, lost int, err error) {
	arns, err := runTask(ctx, h.client, map[string]any{"taskDefinition": definition, "overrides": overrides("lines", fmt.Sprint(manyLines))})
	if err != nil {
		return 0, 0, err
	}
	var begun time.Time
	seen := 0
	err = h.read(ctx, arns[0], func(line string) (bool, error) {
		if line == "end" {
			return true, nil
		}
		if seen++; seen == 1 {
			begun, err = moment(line)
		}
		return false, err
	})
	return float64(seen) / time.Since(begun).Seconds(), manyLines - seen, err
}

// printed is the moment that a task's program printed.
func (h *house) printed(ctx context.Context, arn string) (at time.Time, err error) {
	err = h.read(ctx, arn, func(line string) (bool, error) {
		at, err = moment(line)
		return true, err
	})
	return at, err
}

// read follows the log of a task until done says so, asking every 20 ms.
func (h *house) read(ctx context.Context, arn string, done func(line string) (bool, error)) error {
	t, err := h.client.DescribeTask(ctx, "default", arn)
	if err != nil {
		return err
	}
	streams, err := h.client.TaskStreams(ctx, t)
	if err != nil {
		return err
	}
	r := &reader{done: done}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		err := h.client.Copy(ctx, streams[0], r)
		if errors.Is(err, errDone) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return errors.New("the log does not end: " + h.why(ctx, arn))
}

// why is what DescribeTasks says of a task that does not do what it should.
func (h *house) why(ctx context.Context, arn string) string {
	t, err := h.client.DescribeTask(ctx, "default", arn)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(t.LastStatus + " " + t.StoppedReason)
}

// reader parts what client.Copy writes into lines.
type reader struct {
	done func(string) (bool, error)
}

var errDone = errors.New("read to the end")

// Write implements io.Writer; each call is a line.
func (r *reader) Write(line []byte) (int, error) {
	end, err := r.done(string(bytes.TrimSpace(line)))
	if err == nil && end {
		err = errDone
	}
	return len(line), err
}
