package shim

import (
	"context"
	"testing"

	"github.com/containerd/ttrpc"
)

// A start goes on when the connection it came by has ended; a create may be cut.
func TestAStartIsWhole(t *testing.T) {
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	for method, whole := range map[string]bool{"Start": true, "Create": false} {
		info := &ttrpc.UnaryServerInfo{FullMethod: "/containerd.task.v3.Task/" + method}
		_, err := steady{}.UnaryServerInterceptor()(cut, nil, info, func(ctx context.Context, _ func(any) error) (any, error) {
			return nil, ctx.Err()
		})
		if (err == nil) != whole {
			t.Errorf("%s: %v", method, err)
		}
	}
}
