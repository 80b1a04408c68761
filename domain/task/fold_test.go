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
