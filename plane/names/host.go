package names

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Host forwards to the resolvers a resolv.conf names, as it reads at the moment.
type Host struct {
	path string

	mu      sync.Mutex
	read    time.Time // the file's time of change when it was read
	servers []string
}

// NewHost forwards as the file at path says, normally /etc/resolv.conf.
func NewHost(path string) *Host { return &Host{path: path} }

// patience is how long one resolver may take before the next is asked. Clients
// give up after 5 seconds (resolv.conf(5)), so two must fit.
const patience = 2 * time.Second

// Forward asks the host's resolvers.
func (h *Host) Forward(question *dns.Msg, network string) (*dns.Msg, error) {
	servers, err := h.Servers()
	if err != nil {
		return nil, err
	}
	return forward(question, network, servers)
}

// To forwards to fixed resolvers, each a host and port.
func To(servers ...string) Forwarder { return fixed(servers) }

type fixed []string

func (f fixed) Forward(question *dns.Msg, network string) (*dns.Msg, error) {
	return forward(question, network, f)
}

// forward asks the servers in order until one answers. One that fails (SERVFAIL,
// REFUSED) has not answered, unless no other does.
func forward(question *dns.Msg, network string, servers []string) (*dns.Msg, error) {
	if len(servers) == 0 {
		return nil, errors.New("the host has no resolver")
	}
	client := &dns.Client{Net: network, Timeout: patience, UDPSize: dns.MaxMsgSize}
	var errs []error
	var last *dns.Msg
	for _, server := range servers {
		answer, _, err := client.Exchange(question, server)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("ask %s: %w", server, err))
		case answer.Rcode == dns.RcodeServerFailure || answer.Rcode == dns.RcodeRefused:
			last = answer
		default:
			return answer, nil
		}
	}
	if last != nil {
		return last, nil
	}
	return nil, errors.Join(errs...)
}

// Servers are the host's resolvers, each an address and port.
func (h *Host) Servers() ([]string, error) {
	info, err := os.Stat(h.path)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if info.ModTime().Equal(h.read) {
		return h.servers, nil
	}
	conf, err := dns.ClientConfigFromFile(h.path)
	if err != nil {
		return nil, err
	}
	h.servers = nil
	for _, s := range conf.Servers {
		h.servers = append(h.servers, net.JoinHostPort(s, conf.Port))
	}
	h.read = info.ModTime()
	return h.servers, nil
}
