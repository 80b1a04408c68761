package roads_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

// TestFrames has h2spec check that an Application balancer speaks HTTP/2 and HPACK as
// their RFCs say. A task answers: it reads a request to its end before, which some of the
// checks count on.
func TestFrames(t *testing.T) {
	s := here.applicationStack(t, types.CompatibilityEc2, 1, false)
	here.listenTLS(t, *s.balancer.LoadBalancerArn, "HTTPS", 443, s.http)
	here.healthy(t, s.http, 1)
	reached(t, s.node+":443")
	right, err := h2spec.Run(&config.Config{
		Host: s.node, Port: 443, Path: "/", TLS: true, Insecure: true,
		Timeout: 5 * time.Second, MaxHeaderLen: 4000, // its command's is 4000, too
	})
	if err != nil || !right {
		t.Errorf("h2spec is not content: its findings are above (%v)", err)
	}
}
