package keyring

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/balancer"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

var (
	scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	start = time.Unix(1_800_000_000, 0)
)

func open(t *testing.T) (*Keyring, store.Store) {
	st := memory.Open()
	v, err := vault.Open(t.TempDir(), st.View(), start)
	if err != nil {
		t.Fatal(err)
	}
	return &Keyring{Vault: v, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, st
}

func sealed(t *testing.T, k *Keyring, st store.Store, resource, plain string) (out []byte) {
	t.Helper()
	_, err := st.Update(context.Background(), func(tx *store.Tx) (err error) {
		out, err = k.Seal(tx, scope, resource, []byte(plain), start)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASecretOpensAsItsResourcesOnly(t *testing.T) {
	k, st := open(t)
	box := sealed(t, k, st, "arn:mine", "hush")
	if plain, err := k.Open(st.View(), scope, "arn:mine", box); err != nil || string(plain) != "hush" {
		t.Errorf("got %q, %v", plain, err)
	}
	if _, err := k.Open(st.View(), scope, "arn:other", box); !fault.IsKind(err, fault.InvalidCiphertext) {
		t.Errorf("another resource's: %v", err)
	}
	elsewhere := arn.Scope{Account: "210987654321", Region: scope.Region}
	if _, err := k.Open(st.View(), elsewhere, "arn:mine", box); !fault.IsKind(err, fault.KeyNotFound) {
		t.Errorf("another account: %v", err)
	}
}

func TestUnsealOpensACopy(t *testing.T) {
	k, st := open(t)
	signIn := func(owner string) []balancer.Action {
		return []balancer.Action{{Type: balancer.AuthenticateOIDC, OIDC: &balancer.OIDCAction{ClientSecret: sealed(t, k, st, owner, "client")}}}
	}
	kept := balancer.Snapshot{
		Certificates: []balancer.Certificate{
			{Scope: scope, ARN: "arn:cert", Key: sealed(t, k, st, "arn:cert", "key")},
			{Scope: scope, ARN: "arn:spoiled", Key: []byte("rubbish")},
		},
		Fronts: []balancer.Front{{Balancer: balancer.Balancer{Scope: scope, ARN: "arn:balancer", Secret: sealed(t, k, st, "arn:balancer", "cookies")}, Listeners: []balancer.FrontListener{{
			Listener: balancer.Listener{Scope: scope, ARN: "arn:listener", Default: signIn("arn:listener")},
			Rules:    []balancer.Rule{{Scope: scope, ARN: "arn:rule", Actions: signIn("arn:rule")}, {Actions: []balancer.Action{{Type: balancer.Forward}}}},
		}}}},
	}
	open := kept
	k.Unseal(st.View(), &open)
	l := open.Fronts[0].Listeners[0]
	if got := string(open.Certificates[0].Key); got != "key" || open.Certificates[1].Key != nil {
		t.Errorf("certificates: %q, %q", got, open.Certificates[1].Key)
	}
	if string(l.Listener.Default[0].OIDC.ClientSecret) != "client" || string(l.Rules[0].Actions[0].OIDC.ClientSecret) != "client" {
		t.Error("client secrets are not open")
	}
	if got := string(open.Fronts[0].Balancer.Secret); got != "cookies" || string(kept.Fronts[0].Balancer.Secret) == got {
		t.Errorf("the balancer's secret is %q", got)
	}
	was := kept.Fronts[0].Listeners[0]
	if string(kept.Certificates[0].Key) == "key" || string(was.Listener.Default[0].OIDC.ClientSecret) == "client" || string(was.Rules[0].Actions[0].OIDC.ClientSecret) == "client" {
		t.Error("what was sealed is open now")
	}
}
