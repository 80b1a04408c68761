package flow

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/plane/edge/ssl"
)

// book is where a TLS listener's connections are written down, and under which names.
type book struct {
	write              func(line string)
	balancer, listener string // the last parts of their ARNs
	certificates       []string
}

// bookOf is the book of a node's listener; nil where none is kept.
func bookOf(write func(b *balancer.Balancer, address, line string), n *Node, l *balancer.Listener) *book {
	b := &n.Front.Balancer
	if write == nil || l.Protocol != protocolTLS || !b.Enabled(balancer.AccessLogs) {
		return nil
	}
	return &book{
		write:    func(line string) { write(b, n.Address.String(), line) },
		balancer: b.ARN[strings.LastIndex(b.ARN, "loadbalancer/")+len("loadbalancer/"):],
		listener: l.ARN[strings.LastIndexByte(l.ARN, '/')+1:],
	}
}

// hello is a client's connection, and what the client said as it began TLS.
type hello struct {
	*net.TCPConn
	name      string
	protocols []string
	chosen    string // ARN of the certificate that it is shown
}

// listen has a front note what clients say.
func (b *book) listen(front *tls.Config) {
	front.GetConfigForClient = func(said *tls.ClientHelloInfo) (*tls.Config, error) {
		h, ok := said.Conn.(*hello)
		if !ok {
			return nil, nil // it began before the log did
		}
		h.name, h.protocols = said.ServerName, said.SupportedProtos
		for n := range front.Certificates { // as TLS itself will choose
			if h.chosen = b.certificates[n]; said.SupportsCertificate(&front.Certificates[n]) == nil {
				return nil, nil
			}
		}
		h.chosen = b.certificates[0]
		return nil, nil
	}
}

// second is how AWS writes times here.
const second = "2006-01-02T15:04:05"

// enter writes a connection down that is over, if its client began TLS.
func (b *book) enter(x *pair) {
	if x.hello.chosen != "" {
		b.write(b.line(x, time.Now()))
	}
}

// line is a connection in the access log. Three of its fields are always empty, as on
// AWS; so is that of the client's alert, which Go does not tell.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
func (b *book) line(x *pair, ended time.Time) string {
	var front, back tls.ConnectionState
	shaken, cipher, version := "-", "-", "-"
	if secure, ok := x.front.(*tls.Conn); ok {
		front = secure.ConnectionState()
		shaken, cipher = millis(x.shaken), ssl.SuiteName(front.CipherSuite)
		version = strings.ReplaceAll(strings.ToLower(ssl.VersionName(front.Version)), ".", "")
	}
	if secure, ok := x.back.(*tls.Conn); ok {
		back = secure.ConnectionState()
	}
	return strings.Join([]string{
		"tls", "2.0", ended.UTC().Format(second), b.balancer, b.listener,
		x.client.RemoteAddr().String(), x.client.LocalAddr().String(),
		millis(ended.Sub(x.over.Began)), shaken, strconv.FormatInt(x.received.Load(), 10), strconv.FormatInt(x.sent.Load(), 10),
		"-", x.hello.chosen, "-", cipher, version, "-",
		cmp.Or(url.QueryEscape(x.hello.name), "-"), cmp.Or(front.NegotiatedProtocol, "-"), cmp.Or(back.NegotiatedProtocol, "-"), wishes(x.hello.protocols),
		x.over.Began.UTC().Format(second),
	}, " ")
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// wishes are the protocols that a client would speak.
func wishes(protocols []string) string {
	var all []string
	for _, p := range protocols {
		all = append(all, `"`+strings.ReplaceAll(url.QueryEscape(p), "%2F", "/")+`"`)
	}
	return cmp.Or(strings.Join(all, ","), "-")
}
