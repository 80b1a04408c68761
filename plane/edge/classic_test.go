package edge

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/network/space"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/network"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/edge/spacetest"
	"github.com/berthhq/berth/protocol/acs"
	"github.com/berthhq/berth/store"
)

const classicAddress = "10.0.0.12"

// pier is a shore with a Classic balancer, whose instances are the machine's ends.
type pier struct {
	*shore
	balancer balancer.Balancer
}

func newPier(t *testing.T, change func(*balancer.Balancer)) *pier {
	t.Helper()
	p := &pier{shore: newShore(t)}
	p.EndAt(classicAddress, filepath.Join(p.spaces, "eni-c"))
	p.balancer = balancer.Balancer{
		Scope: scope, ARN: balancer.ClassicARN(scope, "old"), Name: "old", VPCID: "v", Kind: balancer.Classic, Attributes: map[string]string{},
		Classic: &balancer.ClassicSpec{HealthCheck: balancer.HealthCheck{Enabled: true, Protocol: "TCP", Port: "8080", Interval: 1, Timeout: 1, Healthy: 1, Unhealthy: 1}},
	}
	change(&p.balancer)
	p.update(func(tx *store.Tx) {
		store.Balancers.Put(tx, &p.balancer)
		store.Interfaces.Put(tx, &network.Interface{Scope: scope, ID: "eni-c", VPCID: "v", Zone: "a", Kind: network.ForBalancer, Owner: p.balancer.ARN, InstanceARN: "here", PrivateIP: netip.MustParseAddr(classicAddress)})
		for id, at := range map[string]string{"i-1": target1, "i-2": target2} {
			store.Instances.Put(tx, &cluster.Instance{Scope: scope, ARN: id, EC2ID: id, Zone: "a", Attributes: []workload.Attribute{{Name: acs.AttributePrivateIP, Value: at}}})
		}
	})
	return p
}

// listen adds a listener, with both instances behind it.
func (p *pier) listen(l balancer.Listener, protocol string, port int) {
	l.Scope, l.ARN, l.BalancerARN = scope, balancer.ClassicListenerARN(&p.balancer, l.Port), p.balancer.ARN
	g := balancer.HiddenGroup(&p.balancer, &l, protocol, port, time.Now())
	l.Default = []balancer.Action{{Type: balancer.Forward, Forward: &balancer.ForwardAction{Groups: []balancer.Weighted{{GroupARN: g.ARN, Weight: 1}}}}}
	p.update(func(tx *store.Tx) {
		store.TargetGroups.Put(tx, g)
		store.Listeners.Put(tx, &l)
		for _, id := range []string{"i-1", "i-2"} {
			store.Targets.Put(tx, &balancer.Target{Scope: scope, GroupARN: g.ARN, ID: id, Port: port})
		}
	})
}

// TestAClassicBalancerCarriesTCP has its instances take turns, from the node's address;
// one that leaves without draining is cut off.
func TestAClassicBalancerCarriesTCP(t *testing.T) {
	p := newPier(t, func(*balancer.Balancer) {})
	p.listen(balancer.Listener{Port: 81, Protocol: "TCP"}, "TCP", 8080)
	p.run()
	at, client := classicAddress+":81", p.Ends[client1]
	ask := func() string { answer, _ := spacetest.Ask(client, at); return answer }
	p.eventually("both instances answer in turn", func() bool {
		one, two := ask(), ask()
		return one != two && one != "" && two != ""
	})
	if got := ask(); !strings.HasSuffix(got, " "+classicAddress+" hello") {
		t.Errorf("got %q", got)
	}
	open := map[string]net.Conn{}
	for len(open) < 2 {
		c, err := spacetest.Dial(client, "tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		answer, err := spacetest.Say(c, "hello")
		if err != nil {
			t.Fatal(err)
		}
		open[strings.Fields(answer)[0]] = c
	}
	group := balancer.GroupARN(scope, "old", "classic-81")
	p.update(func(tx *store.Tx) { store.Targets.Delete(tx, balancer.TargetKey(group, "i-1", 8080)) })
	_ = open[target1].SetReadDeadline(time.Now().Add(15 * time.Second))
	if line, err := bufio.NewReader(open[target1]).ReadString('\n'); !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("the connection to an instance that left got %q, %v", line, err)
	}
	if answer, err := spacetest.Say(open[target2], "hello"); err != nil {
		t.Errorf("the other's: %q, %v", answer, err)
	}
	for range 10 {
		if got := ask(); !strings.HasPrefix(got, target2) {
			t.Errorf("%q answered", got)
		}
	}
}

// TestAClassicBalancerSpeaksTLS has an SSL listener negotiate as its policy says, send the
// header of the proxy protocol ahead, and speak TLS with instances that have the key
// that a policy names, and no others.
func TestAClassicBalancerSpeaksTLS(t *testing.T) {
	front, first, second := keyPair(t, "app.test"), keyPair(t, "one"), keyPair(t, "two")
	p := newPier(t, func(b *balancer.Balancer) {
		key := base64.StdEncoding.EncodeToString(first.Leaf.RawSubjectPublicKeyInfo)
		b.Classic.Policies = []balancer.Policy{
			{Name: "strict", Type: balancer.NegotiationPolicy, Attributes: []balancer.PolicyAttribute{{Name: "Protocol-TLSv1.2", Value: "true"}, {Name: "ECDHE-ECDSA-AES256-GCM-SHA384", Value: "true"}}},
			{Name: "proxy", Type: balancer.ProxyProtocolPolicy, Attributes: []balancer.PolicyAttribute{{Name: "ProxyProtocol", Value: "true"}}},
			{Name: "key", Type: balancer.PublicKeyPolicy, Attributes: []balancer.PolicyAttribute{{Name: "PublicKey", Value: key[:20] + "\n" + key[20:]}}},
			{Name: "auth", Type: balancer.BackendAuthPolicy, Attributes: []balancer.PolicyAttribute{{Name: "PublicKeyPolicyName", Value: "key"}}},
		}
		b.Classic.ServerPolicies = map[int][]string{8443: {"proxy", "auth"}}
		b.Classic.HealthCheck.Protocol, b.Classic.HealthCheck.Port = "TCP", "8443"
	})
	greeted := make(chan string, 100)
	for at, pair := range map[string]tls.Certificate{target1: first, target2: second} {
		serveProxied(t, p.Ends[at], at+":8443", pair, greeted)
	}
	p.update(func(tx *store.Tx) { store.Certificates.Put(tx, stored(t, front)) })
	p.listen(balancer.Listener{Port: 443, Protocol: "SSL", Policies: []string{"strict"}, SSLPolicy: "strict", Certificates: []string{"cert"}}, "SSL", 8443)
	p.run()
	dial := func(version uint16, suites ...uint16) (string, error) {
		c, err := spacetest.Dial(p.Ends[client1], "tcp", classicAddress+":443")
		if err != nil {
			return "", err
		}
		defer c.Close()
		secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MaxVersion: version, MinVersion: version, CipherSuites: suites})
		if err := secure.Handshake(); err != nil {
			return "", err
		}
		if name := secure.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "app.test" {
			t.Errorf("the listener shows the certificate of %s", name)
		}
		return spacetest.Say(secure, "hello")
	}
	good := func() (string, error) { return dial(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384) }
	p.eventually("the instance with the key answers", func() bool { answer, err := good(); return err == nil && answer == "one hello" })
	for range 4 { // the other one's turn comes, too: nobody hears of it
		if answer, err := good(); err == nil && answer != "one hello" {
			t.Errorf("%q answered", answer)
		}
	}
	if answer, err := dial(tls.VersionTLS13); err == nil {
		t.Errorf("TLS 1.3 got %q", answer)
	}
	if answer, err := dial(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256); err == nil {
		t.Errorf("a cipher that the policy lacks got %q", answer)
	}
	if head := <-greeted; !strings.HasPrefix(head, "PROXY TCP4 "+client1+" "+classicAddress+" ") || !strings.HasSuffix(head, " 443\r\n") {
		t.Errorf("the instance was greeted with %q", head)
	}
}

// serveProxied answers lines over TLS, with the certificate's name in front, on
// connections that begin with a header, which it hands on.
func serveProxied(t *testing.T, s *space.Space, at string, pair tls.Certificate, greeted chan string) {
	l := spacetest.Inside(t, s, func() (net.Listener, error) { return net.Listen("tcp", at) })
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				head, b := "", make([]byte, 1)
				for !strings.HasSuffix(head, "\n") {
					if _, err := c.Read(b); err != nil {
						return // of a health check
					}
					head += string(b)
				}
				select {
				case greeted <- head:
				default:
				}
				secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
				for lines := bufio.NewScanner(secure); lines.Scan(); {
					fmt.Fprintf(secure, "%s %s\n", pair.Leaf.Subject.CommonName, lines.Text())
				}
			}()
		}
	}()
}

func keyPair(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	template.Subject.CommonName = name
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// stored is a certificate "cert" as snapshots have it.
func stored(t *testing.T, pair tls.Certificate) *balancer.Certificate {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &balancer.Certificate{
		Scope: scope, ARN: "cert", Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}),
		Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	}
}
