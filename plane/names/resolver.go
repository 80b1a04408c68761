// Package names answers the DNS questions of tasks: the private names of a VPC,
// names berth itself gives out, and through the host's resolvers all others.
// https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
package names

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/berthhq/berth/domain/discovery"
)

// ttl of our own answers, in seconds: AWS's for private names.
const ttl = 60

// maxUDP is how long a question we take over UDP: what passes without fragments
// (https://www.dnsflagday.net/2020/).
const maxUDP = 1232

// maxInFlight bounds the questions a resolver works on at once; more wait.
const maxInFlight = 512

// Zone is what a resolver knows by itself.
type Zone struct {
	// Range of the VPC. Every address of it has a private name. The zero Prefix
	// means there are none, as in bridge mode.
	Range netip.Prefix
	// Domain of the private names: see Domain.
	Domain string
	// Private finds names that only some may ask for, of the one with the address; nil
	// for a name that it must not know. nil knows none.
	Private func(asker netip.Addr, name string) *discovery.Name
	// Lookup finds names berth gives out, without the final dot and in lower case.
	// nil knows none.
	Lookup func(name string) Found
}

// Found is what there is under a name.
type Found struct {
	// Name is nil when nothing is said about it.
	Name *discovery.Name
	// Exists is true when there is the name, or one below it.
	Exists bool
	// Domain is the one it belongs to, which is answered here alone; nil when others
	// may know what is not known here.
	Domain *discovery.Domain
}

// Domain is the domain of private names in a region.
func Domain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// PrivateName is the name of an address in a region's VPCs.
func PrivateName(a netip.Addr, region string) string { return label(a) + "." + Domain(region) }

func label(a netip.Addr) string { return "ip-" + strings.ReplaceAll(a.String(), ".", "-") }

// Forwarder asks others.
type Forwarder interface {
	// Forward puts the question to a resolver of the host over network, "udp" or
	// "tcp".
	Forward(question *dns.Msg, network string) (*dns.Msg, error)
}

// Resolver answers for one zone.
type Resolver struct {
	zone    Zone
	forward Forwarder
	log     *slog.Logger
	slots   chan struct{}

	mu      sync.Mutex
	servers []*dns.Server
	running sync.WaitGroup
}

// New makes a resolver that asks forward what the zone does not know.
func New(zone Zone, forward Forwarder, log *slog.Logger) *Resolver {
	return &Resolver{zone: zone, forward: forward, log: log, slots: make(chan struct{}, maxInFlight)}
}

// Serve answers on the sockets until Close, which closes them.
func (r *Resolver) Serve(l net.Listener, p net.PacketConn) {
	for _, s := range []*dns.Server{
		{Listener: l, Handler: r.over("tcp")}, {PacketConn: p, Handler: r.over("udp")},
	} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		r.mu.Lock()
		r.servers = append(r.servers, s)
		r.mu.Unlock()
		r.running.Go(func() {
			if err := s.ActivateAndServe(); err != nil {
				r.log.Error("DNS for tasks ended", "err", err)
			}
		})
		<-started
	}
}

// Close stops serving.
func (r *Resolver) Close() error {
	r.mu.Lock()
	servers := r.servers
	r.servers = nil
	r.mu.Unlock()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Shutdown())
	}
	r.running.Wait()
	return errors.Join(errs...)
}

func (r *Resolver) over(network string) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		answer := r.answer(question, network, addressOf(w.RemoteAddr()))
		if network == "udp" {
			answer.Truncate(room(question))
		}
		if err := w.WriteMsg(answer); err != nil {
			r.log.Debug("DNS answer was not delivered", "err", err)
		}
	})
}

// room is how long an answer the asker takes over UDP.
func room(question *dns.Msg) int {
	if opt := question.IsEdns0(); opt != nil {
		return max(int(opt.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}

func addressOf(peer net.Addr) netip.Addr {
	at, _ := netip.ParseAddrPort(peer.String()) // else nobody's
	return at.Addr().Unmap()
}

func (r *Resolver) answer(question *dns.Msg, network string, asker netip.Addr) *dns.Msg {
	if len(question.Question) != 1 || question.Opcode != dns.OpcodeQuery {
		return failure(question, dns.RcodeNotImplemented)
	}
	if opt := question.IsEdns0(); opt != nil && opt.Version() != 0 {
		return failure(question, dns.RcodeBadVers)
	}
	if n := r.private(question, asker); n != nil {
		return r.given(question, network, Found{Name: n, Exists: true}, 0)
	}
	if answer := r.own(question, network, 0); answer != nil {
		return answer
	}
	return r.ask(question, network)
}

// private is a name that the asker may ask for; nil when it is none.
func (r *Resolver) private(question *dns.Msg, asker netip.Addr) *discovery.Name {
	if r.zone.Private == nil || question.Question[0].Qclass != dns.ClassINET {
		return nil
	}
	return r.zone.Private(asker, strings.ToLower(strings.TrimSuffix(question.Question[0].Name, ".")))
}

// ask asks others.
func (r *Resolver) ask(question *dns.Msg, network string) *dns.Msg {
	answer, err := r.forward.Forward(question, network)
	if err != nil {
		r.log.Debug("no resolver of the host answers", "name", question.Question[0].Name, "err", err)
		return failure(question, dns.RcodeServerFailure)
	}
	return answer
}

func failure(question *dns.Msg, code int) *dns.Msg {
	m := new(dns.Msg)
	m.SetRcode(question, code)
	m.RecursionAvailable = true
	if question.IsEdns0() != nil { // RFC 6891, 6.1.1
		m.SetEdns0(maxUDP, false)
		m.IsEdns0().SetExtendedRcode(uint16(code))
	}
	return m
}
