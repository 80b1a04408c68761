package service_test

import (
	"testing"

	"github.com/berthhq/berth/domain/service"
)

func TestShareOfATaskSet(t *testing.T) {
	for _, c := range []struct {
		desired int
		scale   float64
		want    int
	}{{4, 100, 4}, {4, 0, 0}, {0, 100, 0}, {3, 50, 2}, {12, 10, 2}, {1, 0.1, 1}, {10, 30, 3}, {100, 29, 29}, {7, 100, 7}} {
		s := service.TaskSet{Scale: c.scale, Deployment: service.Deployment{Status: service.Older}}
		if got := s.Share(c.desired); got != c.want {
			t.Errorf("%v%% of %d: %d, want %d", c.scale, c.desired, got, c.want)
		}
		if s.Deployment.Status = service.Leaving; s.Share(c.desired) != 0 {
			t.Errorf("a deleted set wants %d tasks", s.Share(c.desired))
		}
	}
}
