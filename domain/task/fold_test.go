package task

import (
	"testing"
	"time"
)

func TestStopCodeOfAgentsThatGiveNone(t *testing.T) {
	began := time.Unix(1, 0)
	for _, c := range []struct {
		started     time.Time
		reason      string
		code, shown string
	}{
		{time.Time{}, "CannotPullContainerError: no such image", StopTaskFailedToStart, "CannotPullContainerError: no such image"},
		{time.Time{}, reasonEssentialExited, StopEssentialContainerExited, reasonEssentialExited}, // others were still waiting
		{time.Time{}, "", StopEssentialContainerExited, reasonEssentialExited},
		{began, "", StopEssentialContainerExited, reasonEssentialExited},
		{began, "The machine restarted while the task ran", StopEssentialContainerExited, "The machine restarted while the task ran"},
	} {
		now, _ := Fold(Observed{StartedAt: c.started}, &Observation{Status: Stopped, Reason: c.reason}, began)
		if now.StopCode != c.code || now.StoppedReason != c.shown {
			t.Errorf("%+v: %s: %s", c, now.StopCode, now.StoppedReason)
		}
	}
}

// TestAComplaintOfARunningContainerEnds keeps why a container stopped, and why it
// complains only as long as it does.
func TestAComplaintOfARunningContainerEnds(t *testing.T) {
	var all Observed
	for _, step := range []struct{ status, said, want string }{
		{"RUNNING", "LogDriverError", "LogDriverError"},
		{"RUNNING", "", ""},
		{"STOPPED", "OutOfMemoryError", "OutOfMemoryError"},
		{"STOPPED", "", "OutOfMemoryError"},
	} {
		all, _ = Fold(all, &Observation{Containers: []ContainerObservation{{Name: "app", Status: step.status, Reason: step.said}}}, time.Unix(1, 0))
		if got := all.Containers[0].Reason; got != step.want {
			t.Errorf("after %+v it is %q", step, got)
		}
	}
}
