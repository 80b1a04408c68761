package flow

import (
	"crypto/tls"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/balancer"
)

// A connection over TLS is a line of the access log, once it is over; one whose client
// and listener have no cipher in common as well.
func TestTLSConnectionsAreWrittenDown(t *testing.T) {
	target := listen(t)
	go swallow(target)
	front := &balancer.Front{Balancer: balancer.Balancer{
		Kind: balancer.Network, ARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/web/0123456789abcdef",
		Attributes: map[string]string{balancer.AccessLogs: "true"},
	}}
	l := &balancer.Listener{
		ARN: "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/net/web/0123456789abcdef/fedcba9876543210", Protocol: "TLS",
		Certificates: []string{"a.example", "b.example"}, ALPN: []string{"HTTP2Preferred"}, SSLPolicy: "ELBSecurityPolicy-TLS-1-2-2017-01",
	}
	snap := &balancer.Snapshot{Certificates: []balancer.Certificate{certificate(t, "a.example"), certificate(t, "b.example")}}
	lines := make(chan string, 1)
	write := func(b *balancer.Balancer, address, line string) {
		if b != &front.Balancer || address != "invalid IP" {
			t.Errorf("a line of %s at %s", b.ARN, address)
		}
		lines <- line
	}
	p := local(t, target, func(w *way) {
		if err := w.secure(snap, front.Balancer.Negotiation(l), l); err != nil {
			t.Fatal(err)
		}
		w.keep(bookOf(write, &Node{Front: front}, l))
	})
	at := p.listener.Addr().String()
	c, err := tls.Dial("tcp", at, &tls.Config{ServerName: "b.example", InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}})
	if err != nil {
		t.Fatal(err)
	}
	from := c.LocalAddr().String()
	io.WriteString(c, "seven by")
	c.CloseWrite()
	if all, err := io.ReadAll(c); len(all) != 8 || err != nil {
		t.Fatalf("%q, %v", all, err)
	}
	c.Close()
	const when = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`
	want := `^tls 2\.0 ` + when + ` net/web/0123456789abcdef fedcba9876543210 ` + regexp.QuoteMeta(from+" "+at) +
		` \d+ \d+ 8 8 - b\.example - ECDHE-ECDSA-AES128-GCM-SHA256 tlsv12 - b\.example h2 - "h2","http/1\.1" ` + when + `$`
	if got := <-lines; !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// The policy knows no such cipher, though Go does.
	if _, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}}); err == nil {
		t.Fatal("a cipher that is not the policy's was taken")
	}
	if got := <-lines; !strings.Contains(got, " - 0 0 - a.example - - - - - - - - ") {
		t.Errorf("a failed connection is %s", got)
	}
}
