package registry

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// renamer writes the client's name of a repository into the paths of an answer,
// in place of the one it has inside.
type renamer struct {
	http.ResponseWriter
	from, to string
	done     bool
}

func (n *renamer) WriteHeader(status int) {
	if !n.done {
		n.done = true
		for _, name := range []string{"Location", "Link"} {
			if value := n.Header().Get(name); value != "" {
				n.Header().Set(name, strings.Replace(value, n.from, n.to, 1))
			}
		}
	}
	n.ResponseWriter.WriteHeader(status)
}

func (n *renamer) Write(p []byte) (int, error) {
	if !n.done {
		n.WriteHeader(http.StatusOK)
	}
	return n.ResponseWriter.Write(p)
}

func (n *renamer) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// Proxy passes requests on to the registry that serves the unix socket.
func Proxy(socket string, log *slog.Logger) http.Handler {
	inside := &url.URL{Scheme: "http", Host: "registry"}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(inside)
			r.Out.Host = r.In.Host
		},
		Transport:  dial(socket),
		BufferPool: &buffers{pool: sync.Pool{New: func() any { return new([copySize]byte) }}},
		ErrorLog:   slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				log.Error("the image registry does not answer", "error", err)
			}
			refuse(http.StatusServiceUnavailable, "UNAVAILABLE", "berth's storage process does not answer; it is restarted when it crashes, so try again").write(w)
		},
	}
}

// copySize is the piece in which layers pass through: large enough to need few
// system calls, small enough for hundreds of pulls at a time.
const copySize = 256 << 10

// buffers lends the proxy its copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return b.pool.Get().(*[copySize]byte)[:] }

func (b *buffers) Put(p []byte) { b.pool.Put((*[copySize]byte)(p)) }
