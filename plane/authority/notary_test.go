package authority

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/berthhq/berth/protocol/join"
)

// TestAMachineThatJoinsIsIdentified signs who it is in all of EC2's forms; nothing of
// it can be changed, and what another authority signed is not taken.
func TestAMachineThatJoinsIsIdentified(t *testing.T) {
	g := serve(t)
	dir := t.TempDir()
	notary, err := g.gate.Authority.Notary(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g.gate.Notary = notary
	got, err := join.Join(context.Background(), g.url, g.token(t), join.Machine{Name: "box", Zone: "b", Architecture: "arm64", Address: "10.0.0.7"})
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	if err := json.Unmarshal([]byte(got.Identity.Document), &said); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"accountId": home.Account, "region": home.Region, "instanceId": got.InstanceID,
		"availabilityZone": home.Region + "b", "architecture": "arm64", "privateIp": "10.0.0.7", "version": "2017-09-30"} {
		if said[name] != want {
			t.Errorf("%s is %q, not %q", name, said[name], want)
		}
	}
	again, err := g.gate.Authority.Notary(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Check(got.Identity.Document, got.Identity.Signature); err != nil {
		t.Error(err)
	}
	other, err := Open(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := other.Notary(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"changed":      again.Check(strings.Replace(got.Identity.Document, got.InstanceID, "i-0123", 1), got.Identity.Signature),
		"unsigned":     again.Check(got.Identity.Document, ""),
		"not base64":   again.Check(got.Identity.Document, "!"),
		"a stranger's": stranger.Check(got.Identity.Document, got.Identity.Signature),
	} {
		if err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	if _, err := other.Notary(dir, time.Now()); err == nil {
		t.Error("an authority took another's notary")
	}
	if info, err := os.Stat(filepath.Join(dir, notaryFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, text := range []string{got.Identity.PKCS7, got.Identity.RSA2048} {
		checkEnvelope(t, g.gate.Authority, text, got.Identity.Document)
	}
}

func checkEnvelope(t *testing.T, a *Authority, text, document string) {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := pkcs7.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	if err := envelope.VerifyWithChain(roots); err != nil || string(envelope.Content) != document {
		t.Errorf("%v: %s", err, envelope.Content)
	}
}
