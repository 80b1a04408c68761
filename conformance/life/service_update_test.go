package life_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berthhq/berth/conformance/images"
)

// front is a definition whose task answers every request with a text. It is
// healthy when it does, and goes on for a while after it is told to end.
func front(text string) *definition {
	c := container("app", probe, "front", "8080", text, "3s")
	c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080)}}
	c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "/probe", "get", "http://127.0.0.1:8080/"}, Interval: aws.Int32(5), Timeout: aws.Int32(3), Retries: aws.Int32(3)}
	return onEC2(c)
}

// relay stands in for a load balancer: it passes each request to one of the
// service's tasks that are healthy and wanted running, and tries nothing twice. It
// learns of a task that is to stop by polling, so later than the task itself: such
// tasks must serve on for a moment after SIGTERM, as behind a balancer that has not
// finished deregistering them.
type relay struct {
	b       *berth
	service string
	next    atomic.Int64
	targets atomic.Pointer[[]string]
}

func (p *relay) poll(t *testing.T) {
	var targets []string
	for _, task := range p.b.crew(t, p.service) {
		if aws.ToString(task.LastStatus) != "RUNNING" || aws.ToString(task.DesiredStatus) != "RUNNING" || task.HealthStatus != types.HealthStatusHealthy {
			continue
		}
		targets = append(targets, fmt.Sprintf("http://127.0.0.1:%d/", *task.Containers[0].NetworkBindings[0].HostPort))
	}
	p.targets.Store(&targets)
}

// get is one request.
func (p *relay) get() (string, error) {
	targets := *p.targets.Load()
	if len(targets) == 0 {
		return "", fmt.Errorf("no healthy task")
	}
	resp, err := http.Get(targets[int(p.next.Add(1))%len(targets)])
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// TestUpdateLosesNoRequest replaces a service's revision under requests.
//
// Proves 1.2.
func TestUpdateLosesNoRequest(t *testing.T) {
	t.Parallel()
	name := here.serve(t, here.register(t, front("one")), 2)
	here.stable(t, name)
	p := &relay{b: here, service: name}
	eventually(t, "healthy tasks", func() bool { p.poll(t); return len(*p.targets.Load()) == 2 })

	var asked, failed, one, two atomic.Int64
	var first atomic.Pointer[string]
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				select {
				case <-done:
					tick.Stop()
					return
				case <-tick.C:
				}
				asked.Add(1)
				switch body, err := p.get(); {
				case err != nil:
					failed.Add(1)
					first.CompareAndSwap(nil, new(err.Error()))
				case body == "one":
					one.Add(1)
				case body == "two":
					two.Add(1)
				}
			}
		})
	}
	definition := here.register(t, front("two"))
	here.update(t, name, func(in *ecs.UpdateServiceInput) { in.TaskDefinition = &definition })
	eventually(t, "the end of the deployment", func() bool {
		p.poll(t)
		s := here.service(t, name)
		return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	seen := two.Load()
	eventually(t, "answers of the new revision", func() bool { p.poll(t); return two.Load() > seen+20 })
	close(done)
	all.Wait()
	if failed.Load() > 0 || one.Load() == 0 || one.Load()+two.Load() != asked.Load() {
		t.Errorf("%d requests, %d failed (%s), %d and %d answered", asked.Load(), failed.Load(), aws.ToString(first.Load()), one.Load(), two.Load())
	}
}

// TestUpdateKeepsItsBounds watches a service of four that may have no more tasks
// than that, and no fewer than two that run, while all of them are replaced.
//
// Proves rolling-deployment.
func TestUpdateKeepsItsBounds(t *testing.T) {
	t.Parallel()
	name := here.serve(t, here.register(t, onEC2(patient("app"))), 4, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(100)}
	})
	here.stable(t, name)
	eventually(t, "a completed deployment", func() bool {
		return here.service(t, name).Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	begun := here.update(t, name, func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true })
	next, fewest, most := *begun.Deployments[0].Id, int32(4), int32(0)
	eventually(t, "the new deployment alone", func() bool {
		s := here.service(t, name)
		fewest, most = min(fewest, s.RunningCount), max(most, s.RunningCount+s.PendingCount)
		return len(s.Deployments) == 1 && *s.Deployments[0].Id == next && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	if fewest != 2 || most != 4 {
		t.Errorf("at the least %d tasks ran, at the most there were %d", fewest, most)
	}
}

// TestCircuitBreakerRollsBack deploys revisions that cannot run.
//
// Proves 1.2, circuit-breaker-rollback.
func TestCircuitBreakerRollsBack(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]types.ContainerDefinition{
		"exits at once": sh("app", "exit 1"),
		"has no image":  container("app", "none-such:1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := here.register(t, onEC2(patient("app")))
			name := here.serve(t, good, 1, func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration = &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
			})
			here.stable(t, name)
			eventually(t, "a completed deployment", func() bool {
				return here.service(t, name).Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
			})
			serving := *here.crew(t, name)[0].TaskArn
			worse := here.register(t, onEC2(bad))
			failed := here.update(t, name, func(in *ecs.UpdateServiceInput) { in.TaskDefinition = &worse })
			back := *failed.Deployments[1].Id
			var s types.Service
			eventually(t, "the way back", func() bool {
				s = here.service(t, name)
				return len(s.Deployments) == 1 && *s.Deployments[0].Id == back && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
			})
			if *s.TaskDefinition != good || s.RunningCount != 1 || aws.ToString(here.describe(t, serving).DesiredStatus) != "RUNNING" {
				t.Errorf("%s; the good task %s", shown(s), summary(here.describe(t, serving)))
			}
			tells(t, s, "(deployment "+*failed.Deployments[0].Id+") deployment failed: tasks failed to start.", "rolling back to deployment "+back+".")
			list, err := here.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: &name})
			if err != nil || len(list.ServiceDeployments) != 2 || list.ServiceDeployments[0].Status != types.ServiceDeploymentStatusRollbackSuccessful {
				t.Errorf("%s %v", shown(list), err)
			}
		})
	}
}

// TestVersionConsistency: tasks of one deployment run the same image, whatever its
// tag has come to mean. Only a new deployment looks anew.
//
// Proves 1.2.
func TestVersionConsistency(t *testing.T) {
	t.Parallel()
	for place, on := range everywhere {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			image := "moving-" + strings.ToLower(place) + ":1"
			push(t, image, "old")
			c := sh("app", "cat /version; exec sleep 600")
			c.Image = &image
			d := on(c)
			name := here.serve(t, here.register(t, d), 1, func(in *ecs.CreateServiceInput) {
				at := here.place(t, d)
				in.LaunchType, in.NetworkConfiguration = at.LaunchType, at.NetworkConfiguration
			})
			here.stable(t, name)
			first := *here.crew(t, name)[0].Containers[0].ImageDigest
			push(t, image, "new")
			here.update(t, name, func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(2) })
			here.stable(t, name)
			for _, task := range here.crew(t, name) {
				if got := aws.ToString(task.Containers[0].ImageDigest); got != first {
					t.Errorf("scaled out to %s, from %s", got, first)
				}
				here.printed(t, *task.TaskArn, "app", "old")
			}
			here.update(t, name, func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true })
			here.stable(t, name)
			for _, task := range here.crew(t, name) {
				here.printed(t, *task.TaskArn, "app", "new")
			}
		})
	}
}

// push loads an image that differs by the text in /version.
func push(t *testing.T, name, text string) {
	t.Helper()
	box, err := images.Busybox(name, images.File{Path: "/version", Data: []byte(text + "\n"), Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := images.Write(file, box); err != nil {
		t.Fatal(err)
	}
	if out, err := here.Command(t.Context(), "image", "load", file).CombinedOutput(); err != nil {
		t.Fatalf("berth image load: %v: %s", err, out)
	}
}
