package acm_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/acm"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/acm"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/workload"
	"github.com/berthhq/berth/plane/authority"
	"github.com/berthhq/berth/plane/keyring"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

const arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-4000-8000-000000000001"

func authorising(t testing.TB) *gatewaytest.Server {
	s := gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		v, err := vault.Open(t.TempDir(), st.View(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		domains, err := authority.Open(t.TempDir(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		api := acm.New(acm.Config{Store: st, Keyring: &keyring.Keyring{Vault: v, Log: slog.New(slog.DiscardHandler)}, Authority: domains})
		return []gateway.Offer{{Service: shape.API, Handlers: api.Operations(), Needs: api.Needs()}}
	}, nil)
	domains, err := authority.Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	chain, _, err := domains.Certify([]string{"a.test"}, "EC_prime256v1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t, func(tx *store.Tx) {
		store.Certificates.Put(tx, &balancer.Certificate{Scope: gatewaytest.Scope, ARN: arn, Chain: chain, Tags: []workload.Tag{{Key: "team", Value: "ml"}}})
	})
	return s
}

func TestAuthorisation(t *testing.T) {
	need := func(action string, keys map[string][]string, resources ...string) gateway.Need {
		return gateway.Need{Action: "acm:" + action, Resources: resources, Keys: keys}
	}
	own := func(operation, input string, keys map[string][]string) gatewaytest.Authorised {
		if keys == nil {
			keys = map[string][]string{"aws:ResourceTag/team": {"ml"}}
		}
		return gatewaytest.Authorised{Operation: operation, Input: `{"CertificateArn": "` + arn + `"` + input + `}`, Needs: []gateway.Need{need(operation, keys, arn)}}
	}
	const all = "arn:aws:acm:eu-central-1:123456789012:certificate/*"
	tags := map[string][]string{"aws:RequestTag/a": {"b"}, "aws:TagKeys": {"a"}}
	gatewaytest.Authorisation(t, authorising, shape.API, []gatewaytest.Authorised{
		{Operation: "ImportCertificate", Input: `{"Certificate": "aGk=", "PrivateKey": "aGk=", "Tags": [{"Key": "a", "Value": "b"}]}`, Needs: []gateway.Need{need("ImportCertificate", tags, all), need("AddTagsToCertificate", tags, all)}},
		{Operation: "RequestCertificate", Input: `{"DomainName": "a.test", "KeyAlgorithm": "EC_prime256v1", "ValidationMethod": "DNS", "Tags": [{"Key": "a", "Value": "b"}]}`, Needs: []gateway.Need{
			need("RequestCertificate", map[string][]string{"acm:DomainNames": {"a.test"}, "acm:ValidationMethod": {"DNS"}, "acm:KeyAlgorithm": {"EC_prime256v1"}, "aws:TagKeys": {"a"}}),
			need("AddTagsToCertificate", tags, all),
		}},
		own("DescribeCertificate", "", nil), own("GetCertificate", "", nil), own("DeleteCertificate", "", nil),
		own("ExportCertificate", `, "Passphrase": "aGVsbG8="`, nil), own("RenewCertificate", "", nil),
		{Operation: "ListCertificates", Needs: []gateway.Need{need("ListCertificates", nil)}},
		own("AddTagsToCertificate", `, "Tags": [{"Key": "a", "Value": "b"}]`, tags),
		own("RemoveTagsFromCertificate", `, "Tags": [{"Key": "a"}]`, map[string][]string{"aws:TagKeys": {"a"}}),
		own("ListTagsForCertificate", "", nil),
		own("ResendValidationEmail", `, "Domain": "a.test", "ValidationDomain": "a.test"`, nil),
		own("UpdateCertificateOptions", `, "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"}`, nil),
	})
}
