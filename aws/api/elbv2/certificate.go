package elbv2

import (
	"context"
	"slices"

	"github.com/berthhq/berth/aws/api/member"
	"github.com/berthhq/berth/aws/gateway"
	shape "github.com/berthhq/berth/aws/shape/elbv2"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxCertificates is how many certificates a balancer has beside the default ones.
const maxCertificates = 25

// checkCertificate refuses a certificate that is not there.
func checkCertificate(r store.Reader, l *balancer.Listener, name string) error {
	c, ok := store.Certificates.Get(r, name)
	if !ok || c.Scope != l.Scope {
		return fault.New(fault.CertificateNotFound, "Certificate ARN '%s' is not valid", name).WithHint("import it first: aws acm import-certificate")
	}
	return nil
}

func (a *API) addListenerCertificates(ctx context.Context, call *gateway.Call, in *shape.AddListenerCertificatesInput) (*shape.AddListenerCertificatesOutput, error) {
	l, err := a.changeListener(ctx, call, *in.ListenerArn, func(tx *store.Tx, l *balancer.Listener) error {
		if len(l.Certificates) == 0 {
			return unfit("Certificates cannot be specified for %s listeners", l.Protocol)
		}
		l.Certificates = slices.Clone(l.Certificates)
		for _, c := range in.Certificates {
			name := member.Value(c.CertificateArn)
			if c.IsDefault != nil {
				return invalid("You cannot specify IsDefault when you add certificates")
			}
			if err := checkCertificate(tx, l, name); err != nil {
				return err
			}
			if !slices.Contains(l.Certificates, name) {
				l.Certificates = append(l.Certificates, name)
			}
		}
		if len(l.Certificates)-1 > maxCertificates {
			return fault.New(fault.TooManyCertificates, "The maximum number of certificates (%d) has been reached", maxCertificates)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	added := l.Certificates[max(1, len(l.Certificates)-len(in.Certificates)):]
	return &shape.AddListenerCertificatesOutput{Certificates: member.Each(added, showAdded)}, nil
}

func showAdded(name *string) shape.Certificate {
	return shape.Certificate{CertificateArn: name, IsDefault: new(false)}
}

func (a *API) removeListenerCertificates(ctx context.Context, call *gateway.Call, in *shape.RemoveListenerCertificatesInput) (*shape.RemoveListenerCertificatesOutput, error) {
	_, err := a.changeListener(ctx, call, *in.ListenerArn, func(_ *store.Tx, l *balancer.Listener) error {
		for _, c := range in.Certificates {
			name := member.Value(c.CertificateArn)
			if len(l.Certificates) > 0 && l.Certificates[0] == name {
				return fault.New(fault.OperationNotPermitted, "The default certificate '%s' cannot be removed", name).WithHint("replace it with modify-listener")
			}
			l.Certificates = slices.DeleteFunc(slices.Clone(l.Certificates), func(have string) bool { return have == name })
		}
		return nil
	})
	return &shape.RemoveListenerCertificatesOutput{}, err
}

func (a *API) describeListenerCertificates(_ context.Context, call *gateway.Call, in *shape.DescribeListenerCertificatesInput) (*shape.DescribeListenerCertificatesOutput, error) {
	l, err := findListener(a.store.View(), call.Scope, *in.ListenerArn)
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(slices.Values(l.Certificates))
	part, next, err := cut(names, in.Marker, in.PageSize, func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	out := member.Each(part, func(name *string) shape.Certificate {
		return shape.Certificate{CertificateArn: name, IsDefault: new(*name == l.Certificates[0])}
	})
	return &shape.DescribeListenerCertificatesOutput{Certificates: out, NextMarker: next}, nil
}

func (a *API) describeSSLPolicies(_ context.Context, _ *gateway.Call, in *shape.DescribeSSLPoliciesInput) (*shape.DescribeSSLPoliciesOutput, error) {
	list := balancer.SSLPolicies()
	for _, name := range in.Names {
		if _, ok := balancer.FindSSLPolicy(name); !ok {
			return nil, fault.New(fault.SSLPolicyNotFound, "SSL policy '%s' not found", name)
		}
	}
	if len(in.Names) > 0 {
		list = slices.DeleteFunc(list, func(p balancer.SSLPolicy) bool { return !slices.Contains(in.Names, p.Name) })
	}
	slices.SortFunc(list, func(x, y balancer.SSLPolicy) int { return compare(x.Name, y.Name) })
	part, next, err := cut(list, in.Marker, in.PageSize, func(p balancer.SSLPolicy) string { return p.Name })
	if err != nil {
		return nil, err
	}
	return &shape.DescribeSSLPoliciesOutput{SslPolicies: member.Each(part, showPolicy), NextMarker: next}, nil
}

func showPolicy(p *balancer.SSLPolicy) shape.SslPolicy {
	out := shape.SslPolicy{Name: &p.Name, SslProtocols: p.Protocols, SupportedLoadBalancerTypes: []string{"application", "network"}}
	for n := range p.Ciphers {
		out.Ciphers = append(out.Ciphers, shape.Cipher{Name: &p.Ciphers[n], Priority: new(int32(n + 1))})
	}
	return out
}
