package server

import (
	"context"
	"time"
)

// renewalPause is between two looks for certificates that end soon: they are renewed
// two months before.
const renewalPause = time.Hour

// renewCertificates renews the requested certificates of listeners until ctx ends.
func (s *Server) renewCertificates(ctx context.Context) {
	certificates, timer := s.certificates(), time.NewTicker(renewalPause)
	defer timer.Stop()
	for {
		if err := certificates.Renew(ctx, s.Now()); err != nil && ctx.Err() == nil {
			s.Log.Warn("certificates were not renewed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}
