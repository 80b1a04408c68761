package objects_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	front "github.com/berthhq/berth/aws/api/s3"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/store"
)

// house is S3 on a real socket, with a real keeper behind it.
type house struct {
	*gatewaytest.Server
	rules *rules
}

// rules allow what they list, as "s3:GetObject arn:..."; nil allows everything.
type rules struct {
	mu    sync.Mutex
	allow map[string]bool
	asked []gateway.Need
}

func (r *rules) only(allowed ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allow, r.asked = map[string]bool{}, nil
	for _, a := range allowed {
		r.allow[a] = true
	}
}

func (r *rules) Authorise(_ context.Context, call *gateway.Call, need gateway.Need) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, need)
	resource := strings.Join(need.Resources, " ")
	if r.allow == nil || r.allow[need.Action+" "+resource] {
		return nil
	}
	return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %q because no identity-based policy allows the %s action",
		call.Principal.ARN, need.Action, resource, need.Action)
}

func keep(t *testing.T) (socket string) {
	t.Helper()
	program, err := filepath.Abs("../../bin/berth-objects")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: run make build", err)
	}
	dir, err := os.MkdirTemp("", "b3") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s3")
	ctx, stop := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		(&objects.Keeper{Program: program, Root: filepath.Join(dir, "objects"), Socket: socket, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}).Keep(ctx)
	}()
	t.Cleanup(func() { stop(); <-kept })
	until(t, func() error { return objects.Healthy(ctx, socket) })
	return socket
}

// until asks until there is no error.
func until(t *testing.T, ask func() error) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(err)
		}
	}
}

func start(t *testing.T) *house {
	t.Helper()
	h := &house{rules: &rules{}}
	var st store.Store
	socket := keep(t)
	h.Server = gatewaytest.Start(t, func(s store.Store) []gateway.Offer { st = s; return nil }, func(o *gateway.Options) {
		o.Fronts = map[string]gateway.Front{front.Scope: front.New(front.Config{
			Store: st, Objects: objects.Dial(socket), Keys: objects.Keys(), Region: objects.Region, Authoriser: h.rules,
			CheckPolicy: func(text string) error {
				if !strings.HasPrefix(text, "{") {
					return errors.New("Policies must be valid JSON and the first byte must be '{'")
				}
				return nil
			},
		})}
	})
	return h
}

func (h *house) client(change ...func(*s3.Options)) *s3.Client {
	return s3.NewFromConfig(h.Config(h.Root), append(change, func(o *s3.Options) { o.UsePathStyle = true })...)
}

const name = "models"

// withBucket has made a bucket where the keys of the tests are at home.
func withBucket(t *testing.T) (*house, *s3.Client) {
	h := start(t)
	c := h.client()
	makeBucket(t, c, name)
	return h, c
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func refused(t *testing.T, err error, code, says string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), says) {
		t.Errorf("got %v, want %s: %s", err, code, says)
	}
}

func random(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, c *s3.Client, key string, body []byte) *s3.PutObjectOutput {
	t.Helper()
	return must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(name), Key: &key, Body: bytes.NewReader(body)}))
}

func get(t *testing.T, c *s3.Client, key string) []byte {
	t.Helper()
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(name), Key: &key}))
	defer out.Body.Close()
	return must[[]byte](t)(io.ReadAll(out.Body))
}
