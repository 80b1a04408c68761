package life_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// balancer stands in for a load balancer: it reads from the API what share of the
// traffic each revision is to get, and where its tasks are.
type balancer struct {
	*berth
	service string
	front   *httptest.Server

	mu     sync.Mutex
	routes routes
}

// routes are the shares and the addresses of the tasks, by revision.
type routes struct {
	production, test map[string]float64
	addresses        map[string][]string
}

// balance routes a service's traffic until the test is over. The path /test gets the
// test traffic.
func (b *berth) balance(t *testing.T, service string) *balancer {
	t.Helper()
	l := &balancer{berth: b, service: service}
	l.front = httptest.NewServer(l)
	ctx, cancel := context.WithCancel(context.Background())
	var polls sync.WaitGroup
	polls.Go(func() {
		for ctx.Err() == nil {
			if next, err := l.read(ctx); err == nil {
				l.mu.Lock()
				l.routes = next
				l.mu.Unlock()
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { cancel(); polls.Wait(); l.front.Close() })
	return l
}

// read reads the routes from the newest deployment of the service.
func (l *balancer) read(ctx context.Context) (routes, error) {
	r := routes{map[string]float64{}, map[string]float64{}, map[string][]string{}}
	d, err := l.newest(ctx, l.service)
	if err != nil {
		return r, err
	}
	var revisions []string
	for _, s := range append(d.SourceServiceRevisions, *d.TargetServiceRevision) {
		revisions = append(revisions, *s.Arn)
		r.production[*s.Arn], r.test[*s.Arn] = aws.ToFloat64(s.RequestedProductionTrafficWeight), aws.ToFloat64(s.RequestedTestTrafficWeight)
	}
	described, err := l.ecs.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: revisions})
	if err != nil {
		return r, err
	}
	tasks, err := l.tasksOf(ctx, l.service)
	for _, rev := range described.ServiceRevisions {
		for _, t := range tasks {
			if aws.ToString(t.LastStatus) != "RUNNING" || *t.TaskDefinitionArn != *rev.TaskDefinition {
				continue
			}
			for _, at := range t.Containers[0].NetworkBindings {
				r.addresses[*rev.ServiceRevisionArn] = append(r.addresses[*rev.ServiceRevisionArn], fmt.Sprintf("127.0.0.1:%d", *at.HostPort))
			}
		}
	}
	return r, err
}

// newest describes the newest deployment of a service.
func (b *berth) newest(ctx context.Context, service string) (*types.ServiceDeployment, error) {
	out, err := b.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		return nil, fmt.Errorf("describe %s: %v", service, err)
	}
	described, err := b.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*out.Services[0].CurrentServiceDeployment}})
	if err != nil || len(described.ServiceDeployments) != 1 {
		return nil, fmt.Errorf("describe the deployment of %s: %v", service, err)
	}
	return &described.ServiceDeployments[0], nil
}

// tasksOf describes the tasks of a service that are wanted.
func (b *berth) tasksOf(ctx context.Context, service string) ([]types.Task, error) {
	list, err := b.ecs.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: &service})
	if err != nil || len(list.TaskArns) == 0 {
		return nil, err
	}
	out, err := b.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		return nil, err
	}
	return out.Tasks, nil
}

// follows tells whether the balancer routes by these shares already.
func (l *balancer) follows(production map[string]float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Equal(l.routes.production, production)
}

// pick chooses a task by the shares.
func (l *balancer) pick(test bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	shares := l.routes.production
	if test {
		shares = l.routes.test
	}
	at := rand.Float64() * 100
	for revision, share := range shares {
		if at -= share; at >= 0 || share == 0 {
			continue
		}
		if tasks := l.routes.addresses[revision]; len(tasks) > 0 {
			return tasks[rand.IntN(len(tasks))]
		}
	}
	return ""
}

func (l *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := http.Get("http://" + l.pick(r.URL.Path == "/test") + "/")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// ask makes one request.
func (l *balancer) ask(path string) string {
	answer, err := http.Get(l.front.URL + path)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

// users ask without a pause until stopped, which returns how often each answer came.
func (l *balancer) users() (stop func() map[string]int) {
	ctx, cancel := context.WithCancel(context.Background())
	heard := map[string]int{}
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			heard[l.ask("/")]++
		}
	})
	return func() map[string]int { cancel(); asking.Wait(); return heard }
}
