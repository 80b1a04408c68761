package flow

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
)

func certificate(t *testing.T, name string) balancer.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return balancer.Certificate{
		ARN: name, Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

// local proxies from one loopback listener to another.
func local(t *testing.T, target net.Listener, change func(*way)) *proxy {
	t.Helper()
	own, err := space.Own()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { own.Close() })
	w := &way{slots: []netip.AddrPort{netip.MustParseAddrPort(target.Addr().String())}, space: own, idle: time.Minute}
	change(w)
	p := serve(listen(t), w, nil, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { p.drain(canceled()) })
	return p
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// swallow answers all that was sent once it ended.
func swallow(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			all, _ := io.ReadAll(c)
			c.Write(all)
		}()
	}
}

func TestTLSEndsHereByNameAndProtocol(t *testing.T) {
	target := listen(t)
	go swallow(tls.NewListener(target, targetTLS(t)))
	snap := &balancer.Snapshot{Certificates: []balancer.Certificate{certificate(t, "a.example"), certificate(t, "b.example")}}
	l := &balancer.Listener{Protocol: "TLS", Certificates: []string{"a.example", "b.example"}, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06", ALPN: []string{"HTTP2Preferred"}}
	p := local(t, target, func(w *way) {
		if err := w.secure(snap, (&balancer.Balancer{}).Negotiation(l), l); err != nil {
			t.Fatal(err)
		}
		w.back = &tls.Config{InsecureSkipVerify: true}
	})
	for asked, want := range map[string]string{"a.example": "a.example", "b.example": "b.example", "c.example": "a.example"} {
		c, err := tls.Dial("tcp", p.listener.Addr().String(), &tls.Config{ServerName: asked, InsecureSkipVerify: true, NextProtos: []string{"http/1.1", "h2"}})
		if err != nil {
			t.Fatal(err)
		}
		state := c.ConnectionState()
		if got := state.PeerCertificates[0].Subject.CommonName; got != want || state.NegotiatedProtocol != "h2" {
			t.Errorf("%s got %s, %s", asked, got, state.NegotiatedProtocol)
		}
		io.WriteString(c, "all of it")
		c.CloseWrite()
		if all, err := io.ReadAll(c); string(all) != "all of it" {
			t.Errorf("got %q (%v)", all, err)
		}
		c.Close()
	}
	if _, err := tls.Dial("tcp", p.listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 passed a policy of 1.2")
	}
}

func targetTLS(t *testing.T) *tls.Config {
	c := certificate(t, "target")
	pair, err := tls.X509KeyPair(c.Chain, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

func TestTheHeaderGoesAhead(t *testing.T) {
	target := listen(t)
	go swallow(target)
	p := local(t, target, func(w *way) {
		w.header = func(from, to netip.AddrPort) []byte { return header(from, to, "vpce-1") }
	})
	c, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "then this")
	c.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	want := header(addressOf(c.LocalAddr()), addressOf(c.RemoteAddr()), "vpce-1")
	if err != nil || !bytes.Equal(all, append(want, "then this"...)) {
		t.Errorf("got %q (%v)", all, err)
	}
	if !bytes.HasPrefix(want, []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x16\x7f\x00\x00\x01\x7f\x00\x00\x01")) || !strings.HasSuffix(string(want), "\xea\x00\x07\x01vpce-1") {
		t.Errorf("the header is %q", want)
	}
}

// A target that does not answer costs nothing while another does; without any the
// client is reset; connections to a target that is to lose them are.
func TestProxiedConnectionsFindATargetAndEndWithIt(t *testing.T) {
	dead := listen(t)
	gone := netip.MustParseAddrPort(dead.Addr().String())
	dead.Close()
	target := listen(t)
	go func() {
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "here\n")
		}
	}()
	p := local(t, target, func(w *way) { w.slots = []netip.AddrPort{gone, gone, gone, w.slots[0]} })
	for range 8 {
		c, err := net.Dial("tcp", p.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "here\n" {
			t.Fatalf("got %q (%v)", line, err)
		}
	}
	m := &Measured{}
	if p.measure(m); m.New != 8 || m.Open != 8 {
		t.Errorf("measured %+v", m)
	}
	at := netip.MustParseAddrPort(target.Addr().String())
	c, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	answers.ReadString('\n')
	p.end(map[netip.AddrPort]bool{at: true})
	if _, err := answers.ReadString('\n'); err == nil {
		t.Error("the connection goes on")
	}
	none := *p.way.Load()
	none.slots = nil
	p.way.Store(&none)
	if c, err = net.Dial("tcp", p.listener.Addr().String()); err == nil {
		if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("without targets: %v", err)
		}
		c.Close()
	}
}

// What is large is spliced, and what is small is not, in one connection and both ways.
func TestAllBytesComeThroughInOrder(t *testing.T) {
	target := listen(t)
	go swallow(target)
	p := local(t, target, func(*way) {})
	c, err := net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var sent bytes.Buffer
	for _, size := range []int{1, pieceBytes - 1, pieceBytes, 3 * runBytes, 1} {
		b := make([]byte, size)
		rand.Read(b)
		sent.Write(b)
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	c.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(all, sent.Bytes()) {
		t.Errorf("%d of %d bytes came back, or others (%v)", len(all), sent.Len(), err)
	}
	p.listener.Close()
	p.busy.Wait()
	if n := p.bytes.Load(); n != 2*uint64(sent.Len()) {
		t.Errorf("%d bytes were counted of %d both ways", n, sent.Len())
	}
}
