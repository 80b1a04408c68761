package roads_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// users ask without a pause, each in one way, until stopped.
type users struct {
	cancel context.CancelFunc
	asking sync.WaitGroup

	mu     sync.Mutex
	asked  map[string]int
	failed []string
}

// crowd begins to ask at a balancer's address: POSTs at port 80 and WebSockets that
// live for a few messages each; gRPC calls at port 443.
func crowd(t *testing.T, address string, ways ...string) *users {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	u := &users{cancel: cancel, asked: map[string]int{}}
	for _, way := range ways {
		ask := map[string]func(context.Context, string) error{"POST": post, "WebSocket": talk, "gRPC": call}[way]
		u.asking.Go(func() {
			for ctx.Err() == nil {
				u.count(ctx, way, ask(ctx, address))
			}
		})
	}
	t.Cleanup(func() { cancel(); u.asking.Wait() })
	return u
}

func (u *users) count(ctx context.Context, way string, err error) {
	if ctx.Err() != nil {
		return // cut short by the end of the test
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked[way]++
	if err != nil {
		u.failed = append(u.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("05.000"), way, err))
	}
}

// content ends the asking, and fails the test for each request that failed.
func (u *users) content(t *testing.T) {
	t.Helper()
	u.cancel()
	u.asking.Wait()
	t.Logf("asked %v", u.asked)
	for way, n := range u.asked {
		if n < 20 {
			t.Errorf("only %d of %s", n, way)
		}
	}
	for _, f := range u.failed[:min(len(u.failed), 20)] {
		t.Error(f)
	}
	if len(u.failed) > 0 {
		t.Errorf("%d requests failed", len(u.failed))
	}
}

func post(ctx context.Context, address string) error {
	body := strings.Repeat("x", 1000)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+":80/", strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	back, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !strings.HasSuffix(string(back), body) {
		return fmt.Errorf("%s: %.80s", answer.Status, back)
	}
	return nil
}

func talk(ctx context.Context, address string) error {
	c, _, err := websocket.Dial(ctx, "ws://"+address+":80/ws", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for n := range 5 {
		said := fmt.Appendf(nil, "message %d", n)
		if err := c.Write(ctx, websocket.MessageText, said); err != nil {
			return err
		}
		_, back, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if !bytes.Equal(back, said) {
			return fmt.Errorf("said %q, heard %q", said, back)
		}
	}
	return c.Close(websocket.StatusNormalClosure, "")
}

func call(ctx context.Context, address string) error {
	c, err := grpc.NewClient("passthrough:///"+address+":443", grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}))) // the certificate is the test's
	if err != nil {
		return err
	}
	defer c.Close()
	for range 5 {
		out, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			return err
		}
		if out.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return fmt.Errorf("gRPC says %v", out.Status)
		}
	}
	return nil
}
