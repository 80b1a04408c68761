// Package metadata is what tasks find at link-local addresses: their role's
// credentials and facts about themselves at 169.254.170.2, those of the instance
// at 169.254.169.254, and the way to berth's API.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
//
// In a router a task is known by the veth its connection came in on, and only
// ever learns of itself. In the host's namespace, where host mode tasks ask, the
// unguessable ids alone decide.
package metadata

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/berthhq/berth/agent/network"
	"github.com/berthhq/berth/domain/task"
)

// Tasks is what the engine knows.
type Tasks interface {
	// Task returns a task as it is now. It must not be changed.
	Task(arn string) (t *Task, ok bool)
	// Owner finds the container whose metadata id this is: see ID.
	Owner(id string) (arn, container string, ok bool)
	// Credentials finds a role's keys by their id, and the task they belong to.
	Credentials(id string) (c *task.Credentials, arn string, ok bool)
}

// Stats is what the agent measures.
type Stats interface {
	// Stats returns the two latest samples of a container; ok is false before
	// there are two.
	Stats(arn, container string) (now, before *Sample, ok bool)
}

// Config is what a Server needs. All but Instance and Endpoint must be set.
type Config struct {
	Tasks Tasks
	Stats Stats
	Log   *slog.Logger
	Now   func() time.Time

	// Instance is served as an EC2 instance; nil serves none.
	Instance *Instance
	// Endpoint is where berth's API is; nil forwards nothing.
	Endpoint *Endpoint
}

// Endpoint is berth's API, as it is reached from the agent.
type Endpoint struct {
	Addresses []string    // host:port each; the first that answers is used
	TLS       *tls.Config // nil for plain HTTP
	Port      int         // at 169.254.170.2, for tasks: 4566
}

// Sockets is a router's namespace: *network.Router.
type Sockets interface {
	Listen(ctx context.Context, address string) (net.Listener, error)
	Peer(conn net.Conn) (network.Peer, error)
}

// Server answers tasks.
type Server struct {
	cfg      Config
	limits   *limits
	tokens   *tokens
	tasks    http.Handler
	instance http.Handler
}

// New makes a server.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, limits: newLimits(cfg.Now), tokens: newTokens(cfg.Now)}
	s.tasks = s.limited(s.taskRoutes())
	s.instance = http.HandlerFunc(s.serveInstance)
	return s
}

// ServeRouter answers the tasks of a router until the result is closed.
func (s *Server) ServeRouter(ctx context.Context, r Sockets) (io.Closer, error) {
	var open closers
	for address, serve := range s.services() {
		l, err := r.Listen(ctx, address)
		if err != nil {
			return nil, errors.Join(err, open.Close())
		}
		open = append(open, serve(l, r.Peer))
	}
	return open, nil
}

// services are what a router offers, by address.
func (s *Server) services() map[string]func(net.Listener, peerOf) io.Closer {
	all := map[string]func(net.Listener, peerOf) io.Closer{
		net.JoinHostPort(network.CredentialsAddress, "80"): s.serveTasks,
	}
	if s.cfg.Instance != nil {
		all[net.JoinHostPort(network.InstanceAddress, "80")] = s.serveIMDS
	}
	if e := s.cfg.Endpoint; e != nil {
		all[net.JoinHostPort(network.CredentialsAddress, itoa(e.Port))] = func(l net.Listener, _ peerOf) io.Closer { return s.forward(l) }
	}
	return all
}

// Host are listeners on the host's loopback, for host mode tasks. A nil listener
// is left out.
type Host struct {
	Tasks    net.Listener // as 169.254.170.2:80
	Instance net.Listener // as 169.254.169.254:80
	Endpoint net.Listener // as 169.254.170.2:4566
}

// ServeHost answers host mode tasks until the result is closed.
func (s *Server) ServeHost(h Host) io.Closer {
	var open closers
	if h.Tasks != nil {
		open = append(open, s.serveTasks(h.Tasks, nobody))
	}
	if h.Instance != nil && s.cfg.Instance != nil {
		open = append(open, s.serveIMDS(h.Instance, nobody))
	}
	if h.Endpoint != nil && s.cfg.Endpoint != nil {
		open = append(open, s.forward(h.Endpoint))
	}
	return open
}

// peerOf says who is behind a connection; the zero Peer stands for the host.
type peerOf func(net.Conn) (network.Peer, error)

func nobody(net.Conn) (network.Peer, error) { return network.Peer{}, nil }

func (s *Server) serveTasks(l net.Listener, who peerOf) io.Closer { return s.serve(l, s.tasks, who) }
func (s *Server) serveIMDS(l net.Listener, who peerOf) io.Closer  { return s.serve(l, s.instance, who) }

type peerKey struct{}

// caller is the peer of a request.
func caller(r *http.Request) network.Peer {
	p, _ := r.Context().Value(peerKey{}).(network.Peer)
	return p
}

func (s *Server) serve(l net.Listener, h http.Handler, who peerOf) io.Closer {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			p, err := who(c)
			if err != nil {
				s.cfg.Log.Warn("a connection to the metadata address was refused", "err", err)
				c.Close()
			}
			return context.WithValue(ctx, peerKey{}, p)
		},
	}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("metadata for tasks ended", "address", l.Addr(), "err", err)
		}
	}()
	return server
}

type closers []io.Closer

func (c closers) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
