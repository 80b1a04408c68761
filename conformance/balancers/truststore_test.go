package balancers_test

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

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// authority is a certificate that signs, and a list of one that it revoked.
func authority(t testing.TB) (bundle, revoked []byte) {
	t.Helper()
	key := done[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ours"}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	der := done[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	issuer := done[*x509.Certificate](t)(x509.ParseCertificate(der))
	revoked = done[[]byte](t)(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: time.Now()}},
	}, issuer, key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), revoked
}

// What Terraform's aws_lb_trust_store and aws_lb_trust_store_revocation do.
func TestTrustStoreLivesAsTerraformAsks(t *testing.T) {
	h := open(t)
	bundle, revoked := authority(t)
	h.objects["certs/ca.pem"], h.objects["certs/both.pem"] = bundle, append(append([]byte{}, bundle...), bundle...)
	h.objects["certs/crl"], h.objects["certs/bad"] = revoked, []byte("rubbish")
	in := &elb.CreateTrustStoreInput{Name: new("ours"), CaCertificatesBundleS3Bucket: new("certs"), CaCertificatesBundleS3Key: new("bad")}
	_, err := h.CreateTrustStore(background, in)
	refused(t, err, "InvalidCaCertificatesBundle", "is not valid")
	in.CaCertificatesBundleS3Key = new("none")
	_, err = h.CreateTrustStore(background, in)
	refused(t, err, "CaCertificatesBundleNotFound", "cannot be found")
	in.CaCertificatesBundleS3Key = new("ca.pem")
	s := done[*elb.CreateTrustStoreOutput](t)(h.CreateTrustStore(background, in)).TrustStores[0]
	name := s.TrustStoreArn
	equal(t, "made", s, types.TrustStore{TrustStoreArn: name, Name: new("ours"), Status: types.TrustStoreStatusActive, NumberOfCaCertificates: new(int32(1)), TotalRevokedEntries: new(int64(0))})
	_, err = h.CreateTrustStore(background, in)
	refused(t, err, "DuplicateTrustStoreName", "")

	added := done[*elb.AddTrustStoreRevocationsOutput](t)(h.AddTrustStoreRevocations(background, &elb.AddTrustStoreRevocationsInput{
		TrustStoreArn: name, RevocationContents: []types.RevocationContent{{S3Bucket: new("certs"), S3Key: new("crl"), RevocationType: types.RevocationTypeCrl}},
	})).TrustStoreRevocations[0]
	equal(t, "revoked", *added.NumberOfRevokedEntries, int64(1))
	lists := done[*elb.DescribeTrustStoreRevocationsOutput](t)(h.DescribeTrustStoreRevocations(background, &elb.DescribeTrustStoreRevocationsInput{TrustStoreArn: name})).TrustStoreRevocations
	equal(t, "lists", *lists[0].RevocationId, *added.RevocationId)
	_, err = h.AddTrustStoreRevocations(background, &elb.AddTrustStoreRevocationsInput{
		TrustStoreArn: name, RevocationContents: []types.RevocationContent{{S3Bucket: new("certs"), S3Key: new("bad")}},
	})
	refused(t, err, "InvalidRevocationContent", "is not valid")

	changed := done[*elb.ModifyTrustStoreOutput](t)(h.ModifyTrustStore(background, &elb.ModifyTrustStoreInput{TrustStoreArn: name, CaCertificatesBundleS3Bucket: new("certs"), CaCertificatesBundleS3Key: new("both.pem")}))
	equal(t, "certificates after a change", *changed.TrustStores[0].NumberOfCaCertificates, int32(2))

	cert := h.certificate("one")
	l := done[*elb.CreateListenerOutput](t)(h.CreateListener(background, &elb.CreateListenerInput{
		LoadBalancerArn: h.alb("web").LoadBalancerArn, Protocol: "HTTPS", Port: new(int32(443)), Certificates: []types.Certificate{{CertificateArn: &cert}},
		DefaultActions:       []types.Action{forward(h.targets("blue", types.ProtocolEnumHttp))},
		MutualAuthentication: &types.MutualAuthenticationAttributes{Mode: new("verify"), TrustStoreArn: name},
	})).Listeners[0]
	equal(t, "mutual authentication", l.MutualAuthentication, &types.MutualAuthenticationAttributes{
		Mode: new("verify"), TrustStoreArn: name, IgnoreClientCertificateExpiry: new(false),
		TrustStoreAssociationStatus: types.TrustStoreAssociationStatusEnumActive, AdvertiseTrustStoreCaNames: types.AdvertiseTrustStoreCaNamesEnumOff,
	})
	used := done[*elb.DescribeTrustStoreAssociationsOutput](t)(h.DescribeTrustStoreAssociations(background, &elb.DescribeTrustStoreAssociationsInput{TrustStoreArn: name}))
	equal(t, "used by", *used.TrustStoreAssociations[0].ResourceArn, *l.ListenerArn)
	_, err = h.DeleteTrustStore(background, &elb.DeleteTrustStoreInput{TrustStoreArn: name})
	refused(t, err, "TrustStoreInUse", "")

	remove := &elb.RemoveTrustStoreRevocationsInput{TrustStoreArn: name, RevocationIds: []int64{*added.RevocationId}}
	done[*elb.RemoveTrustStoreRevocationsOutput](t)(h.RemoveTrustStoreRevocations(background, remove))
	_, err = h.RemoveTrustStoreRevocations(background, remove)
	refused(t, err, "RevocationIdNotFound", "")
	done[*elb.DeleteListenerOutput](t)(h.DeleteListener(background, &elb.DeleteListenerInput{ListenerArn: l.ListenerArn}))
	done[*elb.DeleteTrustStoreOutput](t)(h.DeleteTrustStore(background, &elb.DeleteTrustStoreInput{TrustStoreArn: name}))
	_, err = h.DescribeTrustStores(background, &elb.DescribeTrustStoresInput{TrustStoreArns: []string{*name}})
	refused(t, err, "TrustStoreNotFound", "")
}

// Tags of each kind of resource are set, read and taken.
func TestResourcesAreTagged(t *testing.T) {
	h := open(t)
	b := h.alb("web")
	group := h.targets("blue", types.ProtocolEnumHttp)
	listener := h.listener(b, types.ProtocolEnumHttp, 80, group)
	rule := done[*types.Rule](t)(h.rule(listener, group, 1, path("/")))
	all := []string{*b.LoadBalancerArn, group, listener, *rule.RuleArn}
	done[*elb.AddTagsOutput](t)(h.AddTags(background, &elb.AddTagsInput{ResourceArns: all, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	done[*elb.RemoveTagsOutput](t)(h.RemoveTags(background, &elb.RemoveTagsInput{ResourceArns: all, TagKeys: []string{"a"}}))
	for _, d := range done[*elb.DescribeTagsOutput](t)(h.DescribeTags(background, &elb.DescribeTagsInput{ResourceArns: all})).TagDescriptions {
		equal(t, *d.ResourceArn, d.Tags, []types.Tag{{Key: new("b"), Value: new("2")}})
	}
	_, err := h.AddTags(background, &elb.AddTagsInput{ResourceArns: all, Tags: []types.Tag{{Key: new("aws:a"), Value: new("1")}}})
	refused(t, err, "ValidationError", "reserved for system use")
	_, err = h.DescribeTags(background, &elb.DescribeTagsInput{ResourceArns: []string{*b.LoadBalancerArn + "0"}})
	refused(t, err, "LoadBalancerNotFound", "not found")
}
