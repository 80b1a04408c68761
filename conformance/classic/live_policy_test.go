package classic_test

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
)

// TestHealthChecksOfInstances has each kind of check find the task, tell by the thresholds
// when it fails, and put it out of service for every listener.
//
// Proves 4C.1.
func TestHealthChecksOfInstances(t *testing.T) {
	p := newPier(t)
	p.serve(t)
	p.fit(t)
	for _, c := range []struct{ good, bad string }{
		{fmt.Sprintf("TCP:%d", p.ports), fmt.Sprintf("HTTP:%d/missing", p.ports)},
		{fmt.Sprintf("SSL:%d", p.ports+2), fmt.Sprintf("SSL:%d", p.ports+1)},
		{fmt.Sprintf("HTTP:%d/?a=b", p.ports), fmt.Sprintf("HTTPS:%d/", p.ports)},
	} {
		p.check(t, c.bad)
		eventually(t, c.bad+" to fail", func() bool { return p.health(t) == unfit })
		p.check(t, c.good)
		p.fit(t)
	}
	p.check(t, "TCP:1")
	eventually(t, "a port that nobody has to fail", func() bool { return p.health(t) == unfit })
	if r, body := get(t, p.client(t), "http://"+p.node+"/"); body != "hello" {
		t.Errorf("with no instance in service all are asked, as there is none better: %s %q", r.Status, body)
	}
}

// policy makes one and puts it in force for a listener or, above 1023, for an instance
// port; for neither at 0.
func (p *pier) policy(t *testing.T, name, kind string, port int32, pairs ...string) {
	t.Helper()
	in := &elb.CreateLoadBalancerPolicyInput{LoadBalancerName: &p.name, PolicyName: &name, PolicyTypeName: &kind}
	for n := 0; n < len(pairs); n += 2 {
		in.PolicyAttributes = append(in.PolicyAttributes, types.PolicyAttribute{AttributeName: &pairs[n], AttributeValue: &pairs[n+1]})
	}
	done[*elb.CreateLoadBalancerPolicyOutput](t)(p.elb.CreateLoadBalancerPolicy(t.Context(), in))
	switch {
	case port == 0:
	case port < 1024:
		done[*elb.SetLoadBalancerPoliciesOfListenerOutput](t)(p.elb.SetLoadBalancerPoliciesOfListener(t.Context(), &elb.SetLoadBalancerPoliciesOfListenerInput{
			LoadBalancerName: &p.name, LoadBalancerPort: port, PolicyNames: []string{name},
		}))
	default:
		done[*elb.SetLoadBalancerPoliciesForBackendServerOutput](t)(p.elb.SetLoadBalancerPoliciesForBackendServer(t.Context(), &elb.SetLoadBalancerPoliciesForBackendServerInput{
			LoadBalancerName: &p.name, InstancePort: &port, PolicyNames: []string{name},
		}))
	}
}

// TestPoliciesTakeEffect puts policies of each kind in force on a balancer that carries
// traffic: cookies, TLS, the proxy protocol and the keys of instances.
//
// Proves 4C.1.
func TestPoliciesTakeEffect(t *testing.T) {
	p := newPier(t)
	p.serve(t)
	p.fit(t)
	cookies := func(path string) string {
		r, _ := get(t, p.client(t), "http://"+p.node+path)
		var all []string
		for _, c := range r.Cookies() {
			all = append(all, fmt.Sprint(c.Name, " ", c.MaxAge))
		}
		return strings.Join(all, ", ")
	}
	p.policy(t, "hour", "LBCookieStickinessPolicyType", 80, "CookieExpirationPeriod", "3600")
	eventually(t, "a cookie of the balancer's", func() bool { return cookies("/") == "AWSELB 3600, AWSELBCORS 3600" })
	p.policy(t, "session", "AppCookieStickinessPolicyType", 80, "CookieName", "sid")
	eventually(t, "a cookie with the application's", func() bool { return cookies("/") == "" && cookies("/login") == "sid 0, AWSELB 0, AWSELBCORS 0" })

	old := func(port string, version uint16) error {
		c, err := tls.Dial("tcp", p.node+port, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if err == nil {
			c.Close()
		}
		return err
	}
	for number, port := range map[int32]string{443: ":443", 444: ":444"} {
		if err := old(port, tls.VersionTLS11); err != nil {
			t.Errorf("the default policy lacks TLS 1.1 at %s: %v", port, err)
		}
		p.policy(t, fmt.Sprint("strict-", number), "SSLNegotiationPolicyType", number, "Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01")
		eventually(t, "the policy", func() bool { return old(port, tls.VersionTLS11) != nil && old(port, tls.VersionTLS12) == nil })
	}

	p.policy(t, "proxy", "ProxyProtocolPolicyType", p.ports+1, "ProxyProtocol", "true")
	greeting := ""
	eventually(t, "the header of the proxy protocol", func() bool {
		greeting, _ = say(done[net.Conn](t)(net.DialTimeout("tcp", p.node+":81", 5*time.Second)), "you")
		return greeting != "hello you"
	})
	if !regexp.MustCompile(`^hello PROXY TCP4 [0-9.]+ ` + regexp.QuoteMeta(p.node) + ` \d+ 81$`).MatchString(greeting) {
		t.Errorf("greeted with %q", greeting)
	}

	direct := done[*tls.Conn](t)(tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.ports+2), trusting()))
	defer direct.Close()
	key := base64.StdEncoding.EncodeToString(direct.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	for name, c := range map[string]struct{ key, answer string }{"stranger": {"MIIB", ""}, "own": {key, "hello you"}} {
		p.policy(t, name, "PublicKeyPolicyType", 0, "PublicKey", c.key)
		p.policy(t, name+"-auth", "BackendServerAuthenticationPolicyType", p.ports+2, "PublicKeyPolicyName", name)
		eventually(t, "the key "+name, func() bool {
			answer, _ := say(done[*tls.Conn](t)(tls.Dial("tcp", p.node+":444", trusting())), "you")
			return answer == c.answer
		})
	}
}
