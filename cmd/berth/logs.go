package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/arn"
)

// look is how often the tasks of a service are listed anew.
const look = time.Second

// logs prints the logs of a task, with -f until it stops; or of the running tasks
// of a service, with -f for ever, those included that start meanwhile.
func logs(ctx context.Context, args []string) error {
	fs, data := flags("logs")
	cluster := fs.String("cluster", "default", "the task's or service's cluster")
	follow := fs.Bool("f", false, "go on until the task stops, or for a service until interrupted")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return misuse{errors.New("usage: berth logs [-f] [--cluster C] TASK|SERVICE")}
	}
	place, err := client.Find(*data)
	if err != nil {
		return err
	}
	c := client.New(place)
	if !isTask(fs.Arg(0)) {
		return serviceLogs(ctx, c, *cluster, fs.Arg(0), *follow)
	}
	t, err := c.DescribeTask(ctx, *cluster, fs.Arg(0))
	if err != nil {
		return err
	}
	streams, err := c.TaskStreams(ctx, t)
	if err != nil {
		return err
	}
	if !*follow {
		return copyAll(ctx, c, streams)
	}
	_, err = c.WaitTask(ctx, *cluster, t.TaskARN, "STOPPED", func(*client.Task) error { return copyAll(ctx, c, streams) })
	if err != nil {
		return err
	}
	return copyRest(ctx, c, streams)
}

// isTask tells a task, by its id or ARN, from a service.
func isTask(target string) bool {
	if a, err := arn.Parse(target); err == nil {
		return a.Kind() == "task"
	}
	return len(target) == 32 && strings.Trim(target, "0123456789abcdef") == ""
}

func serviceLogs(ctx context.Context, c *client.Client, cluster, service string, follow bool) error {
	var streams []*client.Stream
	known := map[string]bool{}
	for {
		tasks, err := c.ServiceTasks(ctx, cluster, service)
		if err != nil {
			return err
		}
		for _, id := range tasks {
			if known[id] {
				continue
			}
			known[id] = true
			more, err := taskStreams(ctx, c, cluster, id)
			if err != nil {
				return err
			}
			streams = append(streams, more...)
		}
		if err := copyAll(ctx, c, streams); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
	}
}

// taskStreams are the streams of one task of a service, marked with its id.
func taskStreams(ctx context.Context, c *client.Client, cluster, id string) ([]*client.Stream, error) {
	t, err := c.DescribeTask(ctx, cluster, id)
	if err != nil {
		return nil, err
	}
	streams, err := c.TaskStreams(ctx, t)
	for _, s := range streams {
		s.Prefix = t.ID()[:8] + " | " + s.Prefix
	}
	return streams, err
}
