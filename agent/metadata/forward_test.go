package metadata_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berthhq/berth/agent/metadata"
)

const api = "http://169.254.170.2:4566"

// echo says which host and body a request had.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s", r.Host, b)
}

func endpoint(e metadata.Endpoint) func(*metadata.Config) {
	return func(cfg *metadata.Config) { e.Port = 4566; cfg.Endpoint = &e }
}

func TestTasksReachTheAPI(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(echo))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer secure.Close()
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	gone.Close()
	for name, e := range map[string]metadata.Endpoint{
		"plain":  {Addresses: []string{plain.Listener.Addr().String()}},
		"TLS":    {Addresses: []string{secure.Listener.Addr().String()}, TLS: &tls.Config{RootCAs: pool, ServerName: "example.com"}},
		"second": {Addresses: []string{gone.Addr().String(), plain.Listener.Addr().String()}},
	} {
		w := newWorld(t, endpoint(e))
		for _, in := range append(w.run(t, awsvpc("172.31.0.5"), "app"), w.run(t, bridge(), "app")...) {
			long := strings.Repeat("x", 1<<20)
			status, body := send(in.client(), http.MethodPost, api+"/", long)
			if status != http.StatusOK || body != "169.254.170.2:4566 "+long {
				t.Errorf("%s: got %d and %d bytes", name, status, len(body))
			}
		}
	}
}

func TestAnAPIOutOfReachIsSaid(t *testing.T) {
	untrusted := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer untrusted.Close()
	w := newWorld(t, endpoint(metadata.Endpoint{Addresses: []string{untrusted.Listener.Addr().String()}, TLS: &tls.Config{ServerName: "example.com"}}))
	in := w.run(t, bridge(), "app")[0]
	if status, body := get(in.client(), api+"/"); status != http.StatusServiceUnavailable || !strings.Contains(body, "cannot be reached") {
		t.Errorf("got %d %s", status, body)
	}
}
