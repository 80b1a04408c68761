package roads_test

import (
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// idle bounds how long a service takes to fall asleep: what its tag says, the minute
// in which edges tell of requests, and patience.
const idle = 2*time.Minute + time.Minute + patience

// TestScaleToZero has a service without requests lose its tasks; requests that come then
// are held until one has started, and answered by it. With BERTH_SOAK it sleeps and
// wakes once more.
func TestScaleToZero(t *testing.T) {
	t.Parallel()
	s := here.applicationStack(t, types.CompatibilityEc2, 1, false)
	out, err := here.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{s.service}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.ecs.TagResource(t.Context(), &ecs.TagResourceInput{
		ResourceArn: out.Services[0].ServiceArn, Tags: []types.Tag{{Key: aws.String("berth:scale-to-zero"), Value: aws.String("2m")}},
	}); err != nil {
		t.Fatal(err)
	}
	rounds := 1
	if os.Getenv("BERTH_SOAK") != "" {
		rounds = 2
	}
	for round := range rounds {
		within(t, idle, "no task", func() bool { return here.running(t, s.service) == 0 })
		begun := time.Now()
		var held sync.WaitGroup
		for range 10 {
			held.Go(func() {
				r, err := http.Get("http://" + s.node + "/")
				if err != nil {
					t.Error(err)
					return
				}
				defer r.Body.Close()
				if r.StatusCode != http.StatusOK {
					t.Errorf("held, then %s", r.Status)
				}
			})
		}
		held.Wait()
		t.Logf("round %d: ten requests answered %v after nobody was there", round+1, time.Since(begun).Round(time.Millisecond))
		here.stable(t, s.service)
		if n := here.running(t, s.service); n != 1 {
			t.Errorf("%d tasks after the first requests", n)
		}
	}
}

// running is how many tasks of a service run or are to.
func (b *berth) running(t *testing.T, service string) int32 {
	t.Helper()
	out, err := b.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{service}})
	if err != nil || len(out.Services) != 1 {
		t.Fatalf("describe %s: %v", service, err)
	}
	s := out.Services[0]
	return max(s.DesiredCount, s.RunningCount+s.PendingCount)
}
