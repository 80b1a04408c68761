package roads_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// certificate imports one for the name.
func (b *berth) certificate(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	client := acm.NewFromConfig(b.config())
	out, err := client.ImportCertificate(t.Context(), &acm.ImportCertificateInput{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}),
		PrivateKey:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteCertificate(after(t), &acm.DeleteCertificateInput{CertificateArn: out.CertificateArn}); err != nil {
			t.Error(err)
		}
	})
	return *out.CertificateArn
}

// listenTLS has a balancer forward a port of HTTPS or TLS to a target group.
func (b *berth) listenTLS(t *testing.T, balancer, protocol string, port int32, group string) string {
	t.Helper()
	certificate := b.certificate(t, "app.example.com")
	out, err := b.elb.CreateListener(t.Context(), &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Protocol: types.ProtocolEnum(protocol), Port: &port,
		Certificates:   []types.Certificate{{CertificateArn: &certificate}},
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := *out.Listeners[0].ListenerArn
	t.Cleanup(func() {
		if _, err := b.elb.DeleteListener(after(t), &elasticloadbalancingv2.DeleteListenerInput{ListenerArn: &arn}); err != nil {
			t.Error(err)
		}
	})
	return arn
}
