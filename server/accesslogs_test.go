package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// A log is turned on only where its bucket takes it, which an object there shows; and
// its parts go where the attributes say.
func TestBucketsAreAskedBeforeALogBegins(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "objects")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan string, 10)
	storage := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		written <- r.Method + " " + r.URL.Path + " " + string(content)
	})}
	go storage.Serve(l)
	t.Cleanup(func() { storage.Close() })
	began := time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC)
	s := &Server{Config: Config{Data: t.TempDir(), Objects: socket, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return began }}}
	if err := s.openStore(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	scope := arn.Scope{Account: "123456789012", Region: "us-east-1"}
	const policy = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::open/p/AWSLogs/123456789012/*"}]}`
	put(t, s.store, func(tx *store.Tx) {
		store.Buckets.Put(tx, &bucket.Bucket{Name: "shut", Scope: scope})
		store.Buckets.Put(tx, &bucket.Bucket{Name: "open", Scope: scope, Policy: policy})
		store.Buckets.Put(tx, &bucket.Bucket{Name: "far", Scope: arn.Scope{Account: scope.Account, Region: "eu-west-1"}, Policy: policy})
	})
	b := &balancer.Balancer{Scope: scope, Kind: balancer.Application, Name: "web", ARN: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/0123456789abcdef"}
	logs := func(kind, name, prefix string) []balancer.Value {
		return []balancer.Value{{Name: kind + ".s3.enabled", Value: "true"}, {Name: kind + ".s3.bucket", Value: name}, {Name: kind + ".s3.prefix", Value: prefix}}
	}
	for _, c := range []struct {
		said          []balancer.Value
		words, object string
	}{
		{logs("access_logs", "shut", "p"), "Access Denied for bucket: shut. Please check S3bucket permission", ""},
		{logs("access_logs", "none", "p"), "Access Denied for bucket: none. Please check S3bucket permission", ""},
		{logs("access_logs", "open", "q"), "Access Denied for bucket: open. Please check S3bucket permission", ""},
		{logs("connection_logs", "far", "p"), "S3Bucket: far is not located in us-east-1", ""},
		{logs("access_logs", "open", "p"), "", "PUT /open/p/AWSLogs/123456789012/ELBAccessLogTestFile "},
		{logs("connection_logs", "open", "p"), "", "PUT /open/p/AWSLogs/123456789012/ELBConnectionLogTestFile "},
		{[]balancer.Value{{Name: balancer.IdleTimeout, Value: "61"}}, "", ""},
	} {
		err := s.beginLogs(context.Background(), b, c.said)
		var f *fault.Fault
		if c.words != "" && (!errors.As(err, &f) || f.Kind != fault.InvalidConfigurationRequest || f.Message != c.words) || c.words == "" && err != nil {
			t.Errorf("%v: %v", c.said, err)
		}
		select {
		case got := <-written:
			if c.object == "" || !strings.HasPrefix(got, c.object) {
				t.Errorf("%v: wrote %q", c.said, got)
			}
		default:
			if c.object != "" {
				t.Errorf("%v: wrote nothing", c.said)
			}
		}
	}
	if b.Attributes, err = b.SetAttributes(logs("connection_logs", "open", "p")); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []balancer.Log{balancer.AccessLog, balancer.ConnectionLog} { // the first is not kept
		if err := s.keepLines(context.Background(), b, &balancer.Lines{Log: kind, Address: "10.0.0.4", Name: "x", Until: began, Text: []byte("lines")}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	const want = "PUT /open/p/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/01/02/conn_log.123456789012_elasticloadbalancing_us-east-1_app.web.0123456789abcdef_20260102T0305Z_10.0.0.4_x.log.gz lines"
	if got := <-written; got != want || len(written) > 0 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
