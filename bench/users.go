package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// answers are those of a target: to gRPC calls, and to all else by answer.
func answers() http.Handler {
	calls := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(calls, health.NewServer())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			calls.ServeHTTP(w, r)
			return
		}
		answer(w, r)
	})
}

// answer says back what it is sent.
func answer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		// Read first: the server drops what is unread once an answer begins.
		if all, err := io.ReadAll(r.Body); err == nil {
			_, _ = w.Write(all)
		}
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

func get(ctx context.Context, at string) error { return send(ctx, http.MethodGet, at, "") }

func post(ctx context.Context, at string) error {
	return send(ctx, http.MethodPost, at, strings.Repeat("x", 1000))
}

func send(ctx context.Context, method, at, body string) error {
	// No GetBody: the client must not send it again by itself.
	r, err := http.NewRequestWithContext(ctx, method, "http://"+at+"/", io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return err
	}
	r.ContentLength = int64(len(body))
	if body == "" {
		r.Body = nil
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err == nil && (a.StatusCode != http.StatusOK || string(got) != body) {
		err = fmt.Errorf("answer %s with %d bytes", a.Status, len(got))
	}
	return err
}

// talk holds a conversation that outlasts a change.
func talk(ctx context.Context, at string) error {
	c, _, err := websocket.Dial(ctx, "ws://"+at+"/", nil)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	for range 30 {
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			return err
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != "hello" {
			return errors.Join(err, fmt.Errorf("got %q", got))
		}
		time.Sleep(50 * time.Millisecond)
	}
	return c.Close(websocket.StatusNormalClosure, "")
}

// call asks a gRPC service.
func call(ctx context.Context, c *grpc.ClientConn) error {
	out, err := grpc_health_v1.NewHealthClient(c).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil && out.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("status %s", out.Status)
	}
	return err
}
