package names_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plane/names"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sockets are a TCP and a UDP socket with the same port on loopback.
func sockets(t testing.TB) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		check(t, err)
		if p, err := net.ListenPacket("udp4", l.Addr().String()); err == nil {
			return l, p
		}
		l.Close()
	}
	t.Fatal("no port is free for both")
	return nil, nil
}

func start(t testing.TB, zone names.Zone, forward names.Forwarder) string {
	t.Helper()
	l, p := sockets(t)
	r := names.New(zone, forward, slog.New(slog.DiscardHandler))
	r.Serve(l, p)
	t.Cleanup(func() { check(t, r.Close()) })
	return l.Addr().String()
}

func ask(t testing.TB, network, server, name string, kind uint16) *dns.Msg {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	c := &dns.Client{Net: network, Timeout: 8 * time.Second}
	a, _, err := c.Exchange(q, server)
	check(t, err)
	return a
}

func texts(m *dns.Msg) string {
	all := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		all = append(all, strings.Join(strings.Fields(rr.String())[3:], " "))
	}
	return strings.Join(all, "; ")
}

func vpc() names.Zone {
	return names.Zone{
		Range: netip.MustParsePrefix("172.31.0.0/16"), Domain: names.Domain("us-east-1"),
		Lookup: func(name string) names.Found {
			switch name {
			case "web-1.us-east-1.elb.berth.internal":
				return found(netip.MustParseAddr("172.31.0.9"))
			case "many.internal":
				var all []netip.Addr
				for i := range 100 {
					all = append(all, netip.AddrFrom4([4]byte{172, 31, 1, byte(i)}))
				}
				return found(all...)
			}
			return names.Found{}
		},
	}
}

func found(addresses ...netip.Addr) names.Found {
	return names.Found{Exists: true, Name: &discovery.Name{TTL: 60, Addresses: addresses}}
}

// nobody fails every question.
type nobody struct{}

func (nobody) Forward(*dns.Msg, string) (*dns.Msg, error) { return nil, fmt.Errorf("nobody is there") }

func TestOwnNames(t *testing.T) {
	server := start(t, vpc(), nobody{})
	for _, c := range []struct {
		name string
		kind uint16
		want string
	}{
		{"ip-172-31-0-4.ec2.internal.", dns.TypeA, "NOERROR; A 172.31.0.4"},
		{"IP-172-31-0-4.EC2.internal.", dns.TypeA, "NOERROR; A 172.31.0.4"},
		{"ip-172-31-0-4.ec2.internal.", dns.TypeAAAA, "NOERROR"},
		{"ip-10-0-0-4.ec2.internal.", dns.TypeA, "NXDOMAIN"},
		{"ip-172-31-0-400.ec2.internal.", dns.TypeA, "NXDOMAIN"},
		{"other.ec2.internal.", dns.TypeA, "NXDOMAIN"},
		{"web-1.us-east-1.elb.berth.internal.", dns.TypeA, "NOERROR; A 172.31.0.9"},
		{"4.0.31.172.in-addr.arpa.", dns.TypePTR, "NOERROR; PTR ip-172-31-0-4.ec2.internal."},
		{"4.0.0.10.in-addr.arpa.", dns.TypePTR, "SERVFAIL"},
		{"example.com.", dns.TypeA, "SERVFAIL"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := texts(ask(t, network, server, c.name, c.kind)); got != c.want {
				t.Errorf("%s %s %s: got %q, want %q", network, dns.TypeToString[c.kind], c.name, got, c.want)
			}
		}
	}
}

func TestALongAnswerGoesOverTCP(t *testing.T) {
	server := start(t, vpc(), nobody{})
	if short := ask(t, "udp", server, "many.internal.", dns.TypeA); !short.Truncated || len(short.Answer) >= 100 {
		t.Errorf("over UDP: truncated %v, %d records", short.Truncated, len(short.Answer))
	}
	if whole := ask(t, "tcp", server, "many.internal.", dns.TypeA); whole.Truncated || len(whole.Answer) != 100 {
		t.Errorf("over TCP: truncated %v, %d records", whole.Truncated, len(whole.Answer))
	}
}

// other is a resolver of the host's that says text to everything, or fails.
func other(t *testing.T, text string) (address string) {
	t.Helper()
	l, p := sockets(t)
	say := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if text == "" {
			m.Rcode = dns.RcodeServerFailure
		} else {
			m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text}}}
		}
		w.WriteMsg(m)
	})
	for _, s := range []*dns.Server{{Listener: l, Handler: say}, {PacketConn: p, Handler: say}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go s.ActivateAndServe()
		<-started
		t.Cleanup(func() { s.Shutdown() })
	}
	return l.Addr().String()
}

func TestOthersAreAskedWhatWeDoNotKnow(t *testing.T) {
	server := start(t, vpc(), names.To(other(t, ""), other(t, "second")))
	for _, network := range []string{"udp", "tcp"} {
		if got := texts(ask(t, network, server, "example.com.", dns.TypeTXT)); got != `NOERROR; TXT "second"` {
			t.Errorf("%s: got %q", network, got)
		}
	}
	broken := start(t, vpc(), names.To(other(t, "")))
	if got := texts(ask(t, "udp", broken, "example.com.", dns.TypeTXT)); got != "SERVFAIL" {
		t.Errorf("got %q", got)
	}
}

func TestTheHostsFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	h := names.NewHost(path)
	if got, err := h.Servers(); err == nil {
		t.Errorf("a missing file names %v", got)
	}
	for i, content := range []string{"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", "# none\n", "search x\nnameserver 2001:db8::1\n"} {
		check(t, os.WriteFile(path, []byte(content), 0o600))
		at := time.Unix(int64(1000+i), 0)
		check(t, os.Chtimes(path, at, at))
		got, err := h.Servers()
		check(t, err)
		want := []string{"[192.0.2.1:53 192.0.2.2:53]", "[]", "[[2001:db8::1]:53]"}[i]
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

func TestEveryPrivateNameLeadsBack(t *testing.T) {
	server := start(t, vpc(), nobody{})
	rapid.Check(t, func(t *rapid.T) {
		a := netip.AddrFrom4([4]byte{172, 31, rapid.Byte().Draw(t, "third"), rapid.Byte().Draw(t, "fourth")})
		q := new(dns.Msg)
		q.SetQuestion(names.PrivateName(a, "us-east-1")+".", dns.TypeA)
		m, err := dns.Exchange(q, server)
		if err != nil || texts(m) != "NOERROR; A "+a.String() {
			t.Fatalf("%s: got %v, %v", a, m, err)
		}
	})
	if got := names.PrivateName(netip.MustParseAddr("10.0.0.1"), "eu-west-1"); got != "ip-10-0-0-1.eu-west-1.compute.internal" {
		t.Errorf("got %s", got)
	}
}
