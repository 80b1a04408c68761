package runtime

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"sync"

	"github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// eventSocket takes the events that shims insist on telling and drops them: what
// we want to know we ask for. Without a listener each shim would retry and log.
type eventSocket struct {
	server *ttrpc.Server
	path   string
	done   sync.WaitGroup
}

func listenForEvents(path string) (*eventSocket, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		return nil, err
	}
	events.RegisterTTRPCEventsService(server, deaf{})
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	s := &eventSocket{server: server, path: path}
	s.done.Go(func() { _ = server.Serve(context.Background(), l) })
	return s, nil
}

// Close ends the listener.
func (s *eventSocket) Close() error {
	err := s.server.Close()
	s.done.Wait()
	return err
}

type deaf struct{}

func (deaf) Forward(context.Context, *events.ForwardRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
