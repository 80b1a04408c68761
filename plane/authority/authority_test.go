package authority

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/store/memory"
)

func TestAuthoritySurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir, start)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir, start.Add(time.Hour))
	if err != nil || again.Pin() != first.Pin() {
		t.Errorf("another authority after a restart: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	if public, err := os.ReadFile(filepath.Join(dir, CertificateFile)); err != nil || strings.Contains(string(public), "PRIVATE") {
		t.Errorf("certificate file: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".authority-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnsafeOrDamagedAuthorityIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(path string) error
		says  string
	}{
		"readable": {func(path string) error { return os.Chmod(path, 0o644) }, "chmod 600"},
		"empty":    {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "damaged"},
	} {
		dir := t.TempDir()
		if _, err := Open(dir, start); err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(filepath.Join(dir, keyFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, start); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIssuedCertificatesHoldForTheirUse(t *testing.T) {
	a, err := Open(t.TempDir(), start)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		use    Use
		client bool
	}{"server": {Server, false}, "peer": {Peer, true}} {
		issued, err := a.Issue(c.use, []string{"berth.test", "10.0.0.1"}, start)
		if err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]bool{"berth.test": true, "10.0.0.1": true, "10.0.0.2": false} {
			_, err := issued.Leaf.Verify(x509.VerifyOptions{Roots: a.PeerPool(), DNSName: host, CurrentTime: start})
			if (err == nil) != want {
				t.Errorf("%s certificate for %s: %v", name, host, err)
			}
		}
		_, err = issued.Leaf.Verify(x509.VerifyOptions{Roots: a.PeerPool(), CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if (err == nil) != c.client {
			t.Errorf("%s certificate as a client's: %v", name, err)
		}
	}
}

func TestServerCertificatesAreRenewed(t *testing.T) {
	a, err := Open(t.TempDir(), start)
	if err != nil {
		t.Fatal(err)
	}
	now := &clock{now: start}
	config := a.ServerTLS([]string{"berth.test"}, now.Now)
	serial := func() string {
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.String()
	}
	first := serial()
	now.Add(certificateLife - renewBefore - time.Second)
	if serial() != first {
		t.Error("renewed too early")
	}
	now.Add(time.Second)
	if serial() == first {
		t.Error("not renewed")
	}
}

func TestRootKeyIsMadeOnce(t *testing.T) {
	st, ctx := memory.Open(), context.Background()
	given, err := RootKey(ctx, st, "123456789012", "AKIAGIVEN", "secret", start)
	if err != nil || given.ID != "AKIAGIVEN" || given.Secret != "secret" || given.Principal.Kind != identity.Root {
		t.Fatalf("got %+v, %v", given, err)
	}
	if again, err := RootKey(ctx, st, "123456789012", "", "", start); err != nil || again != given {
		t.Errorf("second start: %+v, %v", again, err)
	}
	other, err := RootKey(ctx, st, "210987654321", "", "", start)
	if err != nil || other.ID == given.ID || len(other.Secret) != 40 {
		t.Errorf("another account: %+v, %v", other, err)
	}
	if _, err := RootKey(ctx, st, "123456789012", "AKIAHALF", "", start); err == nil {
		t.Error("accepted half a key")
	}
}
