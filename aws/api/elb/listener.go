package elb

import (
	"context"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elb"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxListeners is AWS's quota of a balancer.
const maxListeners = 100

// wanted is a listener as a caller says it.
type wanted struct {
	port, instancePort         int
	protocol, instanceProtocol string
	certificate                string
}

func readListener(in *shape.Listener) (w wanted, err error) {
	w = wanted{
		port: int(*in.LoadBalancerPort), instancePort: int(*in.InstancePort), protocol: strings.ToUpper(*in.Protocol),
		instanceProtocol: strings.ToUpper(member.Value(in.InstanceProtocol)), certificate: member.Value(in.SSLCertificateId),
	}
	if w.instanceProtocol == "" {
		w.instanceProtocol = plain(w.protocol)
	}
	switch {
	case layer(w.protocol) == 0 || layer(w.instanceProtocol) == 0:
		return w, fault.New(fault.UnsupportedProtocol, "Protocol '%s' to '%s' is not supported", *in.Protocol, w.instanceProtocol).WithHint("use HTTP, HTTPS, TCP or SSL")
	case layer(w.protocol) != layer(w.instanceProtocol):
		return w, invalid("InstanceProtocol and Protocol must be at the same internet protocol layer: %s does not go with %s", w.instanceProtocol, w.protocol)
	case w.port < 1 || w.port > 65535:
		return w, invalid("LoadBalancerPort must be between 1 and 65535")
	case secure(w.protocol) && w.certificate == "":
		return w, unfit("Secure Listeners need to specify a SSLCertificateId")
	case !secure(w.protocol) && w.certificate != "":
		return w, unfit("Non-secure Listeners cannot specify a SSLCertificateId")
	}
	return w, nil
}

func secure(protocol string) bool { return protocol == "HTTPS" || protocol == "SSL" }

// plain is what an instance speaks when the caller does not say.
func plain(protocol string) string {
	if layer(protocol) == 7 {
		return "HTTP"
	}
	return "TCP"
}

func layer(protocol string) int {
	switch protocol {
	case "HTTP", "HTTPS":
		return 7
	case "TCP", "SSL":
		return 4
	}
	return 0
}

// addListeners adds listeners to a balancer; one that is there already is no fault.
func addListeners(tx *store.Tx, b *balancer.Balancer, in []shape.Listener, now time.Time) error {
	for n := range in {
		w, err := readListener(&in[n])
		if err != nil {
			return err
		}
		if _, ok := store.Listeners.Get(tx, balancer.ClassicListenerARN(b, w.port)); ok {
			if !hasListener(tx, b, &in[n]) {
				return fault.New(fault.DuplicateListener, "A listener already exists for %s with LoadBalancerPort %d, but with a different InstancePort, Protocol, or SSLCertificateId", b.Name, w.port)
			}
			continue
		}
		if err := checkCertificate(tx, b, w.certificate); err != nil {
			return err
		}
		l := &balancer.Listener{
			Scope: b.Scope, ARN: balancer.ClassicListenerARN(b, w.port), BalancerARN: b.ARN, Port: w.port, Protocol: w.protocol, CreatedAt: now, Version: 1,
		}
		if secure(w.protocol) {
			l.Certificates, l.Policies, l.SSLPolicy = []string{w.certificate}, []string{balancer.DefaultSSLPolicy}, balancer.DefaultSSLPolicy
			if _, ok := b.Classic.Policy(balancer.DefaultSSLPolicy); !ok {
				b.Classic.Policies = append(b.Classic.Policies[:len(b.Classic.Policies):len(b.Classic.Policies)], balancer.Predefined(balancer.DefaultSSLPolicy))
			}
		}
		putListener(tx, b, l, w.instanceProtocol, w.instancePort, now)
	}
	if n := len(listenersOf(tx, b)); n > maxListeners {
		return invalid("A load balancer has at most %d listeners", maxListeners)
	}
	return nil
}

// hasListener tells whether the listener that a caller says is there.
func hasListener(r store.Reader, b *balancer.Balancer, in *shape.Listener) bool {
	w, err := readListener(in)
	l, ok := store.Listeners.Get(r, balancer.ClassicListenerARN(b, w.port))
	if err != nil || !ok {
		return false
	}
	g := groupOf(r, l)
	return l.Protocol == w.protocol && g.Protocol == w.instanceProtocol && g.Port == w.instancePort && certificateOf(l) == w.certificate
}

func certificateOf(l *balancer.Listener) string {
	if len(l.Certificates) == 0 {
		return ""
	}
	return l.Certificates[0]
}

func checkCertificate(r store.Reader, b *balancer.Balancer, name string) error {
	if name == "" {
		return nil
	}
	if c, ok := store.Certificates.Get(r, name); ok && c.Scope == b.Scope {
		return nil
	}
	return fault.New(fault.CertificateNotFound, "Server Certificate not found for the key: %s", name).WithHint("import it first: aws acm import-certificate")
}

func (a *API) createListeners(ctx context.Context, call *gateway.Call, in *shape.CreateLoadBalancerListenerInput) (*shape.CreateLoadBalancerListenerOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		return addListeners(tx, b, in.Listeners, call.Now)
	})
	return &shape.CreateLoadBalancerListenerOutput{}, err
}

func (a *API) deleteListeners(ctx context.Context, call *gateway.Call, in *shape.DeleteLoadBalancerListenerInput) (*shape.DeleteLoadBalancerListenerOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		for _, port := range in.LoadBalancerPorts {
			if l, ok := store.Listeners.Get(tx, balancer.ClassicListenerARN(b, int(port))); ok {
				dropListener(tx, b, l)
			}
		}
		return nil
	})
	return &shape.DeleteLoadBalancerListenerOutput{}, err
}

// changeListener stores what fn makes of a copy of a listener.
func changeListener(tx *store.Tx, b *balancer.Balancer, port int32, fn func(*balancer.Listener) error) error {
	have, ok := store.Listeners.Get(tx, balancer.ClassicListenerARN(b, int(port)))
	if !ok {
		return fault.New(fault.ListenerNotFound, "There is no listener on port %d of load balancer '%s'", port, b.Name)
	}
	next := *have
	next.Version++
	if err := fn(&next); err != nil {
		return err
	}
	store.Listeners.Put(tx, &next)
	return nil
}

func (a *API) setCertificate(ctx context.Context, call *gateway.Call, in *shape.SetLoadBalancerListenerSSLCertificateInput) (*shape.SetLoadBalancerListenerSSLCertificateOutput, error) {
	_, err := a.change(ctx, call, *in.LoadBalancerName, func(tx *store.Tx, b *balancer.Balancer) error {
		return changeListener(tx, b, *in.LoadBalancerPort, func(l *balancer.Listener) error {
			if !secure(l.Protocol) {
				return unfit("The listener on port %d does not use SSL", l.Port)
			}
			l.Certificates = []string{*in.SSLCertificateId}
			return checkCertificate(tx, b, *in.SSLCertificateId)
		})
	})
	return &shape.SetLoadBalancerListenerSSLCertificateOutput{}, err
}
