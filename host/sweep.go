package host

import (
	"context"
	"time"
)

// As the official agent's ECS_IMAGE_CLEANUP_INTERVAL and
// ECS_IMAGE_MINIMUM_CLEANUP_AGE are by default.
const (
	sweepEvery = 30 * time.Minute
	imageAge   = time.Hour
)

// sweepImages gives back the space of images that no task used for a while.
func (h *Host) sweepImages(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			gone, err := h.runtime.SweepImages(ctx, now.Add(-imageAge), h.engine.ImagesInUse())
			if err != nil && ctx.Err() == nil {
				h.Log.Warn("cannot remove unused images", "err", err)
			}
			if len(gone) > 0 {
				h.Log.Info("removed unused images", "images", gone)
			}
		}
	}
}
