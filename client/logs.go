package client

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Stream is one log stream that is read forward.
type Stream struct {
	Group, Name string
	Prefix      string // put before each line
	token       string
}

// TaskStreams finds where the containers of a task write, by its definition: those
// with the awslogs driver and a stream prefix.
func (c *Client) TaskStreams(ctx context.Context, t *Task) ([]*Stream, error) {
	var out struct {
		Definition struct {
			Containers []struct {
				Name string `json:"name"`
				Log  *struct {
					Driver  string            `json:"logDriver"`
					Options map[string]string `json:"options"`
				} `json:"logConfiguration"`
			} `json:"containerDefinitions"`
		} `json:"taskDefinition"`
	}
	if err := c.Call(ctx, ECS, "DescribeTaskDefinition", map[string]any{"taskDefinition": t.Definition}, &out); err != nil {
		return nil, err
	}
	var streams []*Stream
	for _, con := range out.Definition.Containers {
		if con.Log == nil || con.Log.Driver != "awslogs" || con.Log.Options["awslogs-stream-prefix"] == "" {
			continue
		}
		s := &Stream{Group: con.Log.Options["awslogs-group"], Name: con.Log.Options["awslogs-stream-prefix"] + "/" + con.Name + "/" + t.ID()}
		if len(out.Definition.Containers) > 1 {
			s.Prefix = con.Name + " | "
		}
		streams = append(streams, s)
	}
	if len(streams) == 0 {
		return nil, fmt.Errorf("no container of %s logs with awslogs and awslogs-stream-prefix: its lines cannot be found", t.Definition)
	}
	return streams, nil
}

// Copy writes the lines that are there and were not written before. A stream that
// does not exist yet has none.
func (c *Client) Copy(ctx context.Context, s *Stream, w io.Writer) error {
	for {
		in := map[string]any{"logGroupName": s.Group, "logStreamName": s.Name, "startFromHead": true}
		if s.token != "" {
			in["nextToken"] = s.token
		}
		var page struct {
			Events []struct {
				Message string `json:"message"`
			} `json:"events"`
			Next string `json:"nextForwardToken"`
		}
		err := c.Call(ctx, Logs, "GetLogEvents", in, &page)
		var refused *Error
		if errors.As(err, &refused) && refused.Code == "ResourceNotFoundException" {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if _, err := fmt.Fprintf(w, "%s%s\n", s.Prefix, e.Message); err != nil {
				return err
			}
		}
		if page.Next == s.token || page.Next == "" {
			return nil
		}
		s.token = page.Next
		if len(page.Events) == 0 {
			return nil
		}
	}
}
