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
	heard  map[string]int // answers to GET and POST and over TCP, by the name that the server has
	failed []string
}

// crowd begins to ask at a balancer's address: GETs, POSTs and WebSockets that live for
// a few messages each at port 80; gRPC calls at port 443; TCP at port 8081.
func crowd(t *testing.T, address string, ways ...string) *users {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	u := &users{cancel: cancel, asked: map[string]int{}, heard: map[string]int{}}
	for _, way := range ways {
		ask := map[string]func(context.Context, string) (string, error){"GET": fetch, "GET again": again, "POST": post, "WebSocket": talk, "gRPC": call, "TCP": connect}[way]
		u.asking.Go(func() {
			for ctx.Err() == nil {
				by, err := ask(ctx, address)
				u.count(ctx, way, by, err)
			}
		})
	}
	t.Cleanup(func() { cancel(); u.asking.Wait() })
	return u
}

func (u *users) count(ctx context.Context, way, by string, err error) {
	if ctx.Err() != nil {
		return // cut short by the end of the test
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked[way]++
	if by != "" {
		u.heard[by]++
	}
	if err != nil {
		u.failed = append(u.failed, fmt.Sprintf("%s %s: %v", time.Now().Format("05.000"), way, err))
	}
}

// content ends the asking, and fails the test for each request that failed.
func (u *users) content(t *testing.T) {
	t.Helper()
	u.cancel()
	u.asking.Wait()
	t.Logf("asked %v, heard %v", u.asked, u.heard)
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

// Each way to ask tells which server answered, by its name; talk and call cannot.

func fetch(ctx context.Context, address string) (by string, err error) {
	return exchange(ctx, http.MethodGet, "http://"+address+":80/", "")
}

// again asks once more when it has failed.
func again(ctx context.Context, address string) (by string, err error) {
	if by, err = fetch(ctx, address); err != nil {
		return fetch(ctx, address)
	}
	return by, nil
}

func post(ctx context.Context, address string) (by string, err error) {
	return exchange(ctx, http.MethodPost, "http://"+address+":80/", strings.Repeat("x", 1000))
}

// exchange has a server give back what it was sent, after its name.
func exchange(ctx context.Context, method, url, body string) (by string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	back, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	by, _, _ = strings.Cut(answer.Header.Get("Served-By"), " ")
	if answer.StatusCode != http.StatusOK || string(back) != by+body {
		return "", fmt.Errorf("%s: %.80s", answer.Status, back)
	}
	return by, nil
}

func talk(ctx context.Context, address string) (by string, err error) {
	c, _, err := websocket.Dial(ctx, "ws://"+address+":80/ws", nil)
	if err != nil {
		return "", err
	}
	defer c.CloseNow()
	for n := range 5 {
		said := fmt.Appendf(nil, "message %d", n)
		if err := c.Write(ctx, websocket.MessageText, said); err != nil {
			return "", err
		}
		_, back, err := c.Read(ctx)
		if err != nil {
			return "", err
		}
		if !bytes.Equal(back, said) {
			return "", fmt.Errorf("said %q, heard %q", said, back)
		}
	}
	return "", c.Close(websocket.StatusNormalClosure, "")
}

func call(ctx context.Context, address string) (by string, err error) {
	c, err := grpc.NewClient("passthrough:///"+address+":443", grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}))) // the certificate is the test's
	if err != nil {
		return "", err
	}
	defer c.Close()
	for range 5 {
		out, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			return "", err
		}
		if out.Status != grpc_health_v1.HealthCheckResponse_SERVING {
			return "", fmt.Errorf("gRPC says %v", out.Status)
		}
	}
	return "", nil
}
