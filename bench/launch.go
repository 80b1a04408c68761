package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/client"
)

// rounds is how often a real container is started, ours and the peer's in turn.
const rounds = 15

// launch is one task from the call of RunTask on. What follows the answer is by
// the times that DescribeTasks shows, in milliseconds.
type launch struct {
	answered, pulling, pulled, started, first durations
}

func (l *launch) figures(most float64) []figure {
	return []figure{
		{Name: "p50", Value: l.first.at(50), Unit: "ms", Most: most},
		{Name: "p99", Value: l.first.at(99), Unit: "ms"},
		{Name: "of it p50: answered", Value: l.answered.at(50), Unit: "ms"},
		{Name: "network and pull check begun", Value: l.pulling.at(50), Unit: "ms"},
		{Name: "image there", Value: l.pulled.at(50), Unit: "ms"},
		{Name: "started", Value: l.started.at(50), Unit: "ms"},
	}
}

const notYet = "ready sandboxes do not exist yet"

// startOnEC2 measures budget 5: the program writes the moment into a file that
// the host sees, under berth and under docker.
func startOnEC2(ctx context.Context, b *bench) (result, error) {
	h, err := b.house(ctx)
	if err != nil {
		return result{}, err
	}
	stamps := filepath.Join(b.dir, "stamps")
	if err := os.MkdirAll(stamps, 0o777); err != nil {
		return result{}, err
	}
	definition, err := register(ctx, h.client, onEC2(stamps))
	if err != nil {
		return result{}, err
	}
	docker, why := b.startDocker(ctx, h.archive)
	defer docker.close()
	ours, theirs := &launch{}, durations{}
	for n := range rounds {
		file := fmt.Sprintf("berth-%d", n)
		err := h.launch(ctx, ours, map[string]any{"taskDefinition": definition, "overrides": overrides("stamp", "/stamps/"+file)}, func(string) (time.Time, error) {
			return stamped(ctx, filepath.Join(stamps, file))
		})
		if err != nil {
			return result{}, err
		}
		if docker != nil {
			took, err := docker.run(ctx, stamps, fmt.Sprintf("docker-%d", n))
			if err != nil {
				return result{}, err
			}
			theirs = append(theirs, took)
		}
	}
	r := result{Figures: ours.figures(100), Peer: why, Note: notYet}
	if docker != nil {
		r.Peer = fmt.Sprintf("docker run (network none) p50 %s ms", short(theirs.at(50)))
		r.Figures = append(r.Figures, figure{Name: "to docker", Value: ours.first.at(50) / theirs.at(50), Unit: "x", Most: 0.33})
	}
	return r, nil
}

// startOnFargate measures budget 6: the program prints the moment.
func startOnFargate(ctx context.Context, b *bench) (result, error) {
	h, err := b.house(ctx)
	if err != nil {
		return result{}, err
	}
	definition, err := register(ctx, h.client, onFargate())
	if err != nil {
		return result{}, err
	}
	subnets, err := h.client.DefaultSubnets(ctx)
	if err != nil {
		return result{}, err
	}
	l := &launch{}
	for range rounds {
		in := map[string]any{
			"taskDefinition": definition, "launchType": "FARGATE", "overrides": overrides("stamp", "-"),
			"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{"subnets": subnets}},
		}
		if err := h.launch(ctx, l, in, func(arn string) (time.Time, error) { return h.printed(ctx, arn) }); err != nil {
			return result{}, err
		}
	}
	return result{Figures: l.figures(200), Note: notYet}, nil
}

// launch runs one task, learns from first when its program began, and waits until
// it is gone.
func (h *house) launch(ctx context.Context, l *launch, in map[string]any, first func(arn string) (time.Time, error)) error {
	begun := time.Now()
	arns, err := runTask(ctx, h.client, in)
	if err != nil {
		return err
	}
	answered := time.Since(begun)
	at, err := first(arns[0])
	if err != nil {
		return err
	}
	if _, err := h.client.WaitTask(ctx, "default", arns[0], "STOPPED", nil); err != nil {
		return err
	}
	var out struct {
		Tasks []struct {
			PullStartedAt float64 `json:"pullStartedAt"`
			PullStoppedAt float64 `json:"pullStoppedAt"`
			StartedAt     float64 `json:"startedAt"`
		} `json:"tasks"`
	}
	if err := h.client.Call(ctx, client.ECS, "DescribeTasks", map[string]any{"tasks": arns}, &out); err != nil {
		return err
	}
	since := func(seconds float64) time.Duration { return time.UnixMilli(int64(seconds * 1000)).Sub(begun) }
	l.answered, l.first = append(l.answered, answered), append(l.first, at.Sub(begun))
	l.pulling = append(l.pulling, since(out.Tasks[0].PullStartedAt))
	l.pulled = append(l.pulled, since(out.Tasks[0].PullStoppedAt))
	l.started = append(l.started, since(out.Tasks[0].StartedAt))
	return nil
}

func overrides(command ...string) map[string]any {
	return map[string]any{"containerOverrides": []any{map[string]any{"name": "main", "command": command}}}
}

func onEC2(stamps string) map[string]any {
	return map[string]any{
		"family": "start-ec2", "requiresCompatibilities": []string{"EC2"},
		"volumes": []any{map[string]any{"name": "stamps", "host": map[string]string{"sourcePath": stamps}}},
		"containerDefinitions": []any{map[string]any{
			"name": "main", "image": image, "memory": 64,
			"mountPoints": []any{map[string]string{"sourceVolume": "stamps", "containerPath": "/stamps"}},
		}},
	}
}

func onFargate() map[string]any {
	return map[string]any{
		"family": "start-fargate", "requiresCompatibilities": []string{"FARGATE"}, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
		"executionRoleArn":     "ecsTaskExecutionRole",
		"containerDefinitions": []any{map[string]any{"name": "main", "image": image, "logConfiguration": logged("start")}},
	}
}

// stamped waits for the moment that a program wrote into a file.
func stamped(ctx context.Context, file string) (time.Time, error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(file)
		if err == nil && strings.HasSuffix(string(text), "\n") {
			return moment(string(text))
		}
	}
	return time.Time{}, fmt.Errorf("nothing wrote %s", file)
}

// moment reads nanoseconds since 1970, which text begins with.
func moment(text string) (time.Time, error) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return time.Time{}, fmt.Errorf("no moment in %q", text)
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	return time.Unix(0, n), err
}
