package shim

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"
)

// call calls a method of a service that does nothing.
func (s steady) call(ctx context.Context, method string, request any) error {
	info := &ttrpc.UnaryServerInfo{FullMethod: "/containerd.task.v3.Task/" + method}
	_, err := s.UnaryServerInterceptor()(ctx, func(any) error { return nil }, info, func(ctx context.Context, read func(any) error) (any, error) {
		if err := read(request); err != nil {
			return nil, err
		}
		return nil, ctx.Err()
	})
	return err
}

func newSteady() steady { return steady{held: &pipes{byID: map[string][]*os.File{}}} }

// A start goes on when the connection it came by has ended; a create may be cut.
func TestAStartIsWhole(t *testing.T) {
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newSteady().call(cut, "Start", &taskapi.StartRequest{}); err != nil {
		t.Error(err)
	}
	if err := newSteady().call(cut, "Create", &taskapi.CreateTaskRequest{}); err == nil {
		t.Error("a create was not cut")
	}
}

// What was written into an output is there after all others have closed it, until
// the container is deleted.
func TestOutputsAreHeld(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "stdout")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSteady()
	if err := s.call(t.Context(), "Create", &taskapi.CreateTaskRequest{ID: "c", Stdout: fifo}); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("last words"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, 100)
	if n, err := r.Read(got); err != nil || string(got[:n]) != "last words" {
		t.Errorf("%q %v", got[:n], err)
	}
	if err := s.call(t.Context(), "Delete", &taskapi.DeleteRequest{ID: "c"}); err != nil {
		t.Fatal(err)
	}
	if w, err := os.OpenFile(fifo, os.O_WRONLY|unix.O_NONBLOCK, 0); err != nil {
		t.Errorf("our own reader is gone: %v", err)
	} else if w.Close() != nil || r.Close() != nil {
		t.Error("cannot close")
	}
	if _, err := os.OpenFile(fifo, os.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
		t.Error("the pipe is held after the container was deleted")
	}
}
