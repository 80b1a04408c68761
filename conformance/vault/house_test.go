package vault_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	kmsapi "github.com/berthhq/berth/aws/api/kms"
	secretsapi "github.com/berthhq/berth/aws/api/secretsmanager"
	ssmapi "github.com/berthhq/berth/aws/api/ssm"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	kmsshape "github.com/berthhq/berth/aws/shape/kms"
	secretsshape "github.com/berthhq/berth/aws/shape/secretsmanager"
	ssmshape "github.com/berthhq/berth/aws/shape/ssm"
	"github.com/berthhq/berth/plane/vault"
	"github.com/berthhq/berth/store"
)

// house is the three services behind one gateway, with clients.
type house struct {
	*gatewaytest.Server
	t       testing.TB
	store   store.Store // of the services; the access keys have one of their own
	vault   *vault.Vault
	dir     string
	clock   *clock
	secrets *secretsmanager.Client
	params  *ssm.Client
	keys    *kms.Client
	hooks   map[string]string
}

// clock is the real time, and what a test adds.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// open starts the services over a store of the caller's; nil for one in memory.
func open(t testing.TB, st store.Store) *house {
	return openLogging(t, st, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

func openLogging(t testing.TB, st store.Store, log *slog.Logger) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), clock: &clock{}, hooks: map[string]string{}}
	h.Server = gatewaytest.Start(t, func(memory store.Store) []gateway.Offer {
		if h.store = st; st == nil {
			h.store = memory
		}
		var err error
		if h.vault, err = vault.Open(h.dir, h.store.View(), h.clock.now()); err != nil {
			t.Fatal(err)
		}
		secrets := secretsapi.New(secretsapi.Config{Store: h.store, Vault: h.vault, Hooked: func(arn string) bool { return h.hooks[arn] != "" }})
		params := ssmapi.New(ssmapi.Config{Store: h.store, Vault: h.vault, Secrets: secrets})
		keys := kmsapi.New(h.store, h.vault)
		return []gateway.Offer{
			{Service: secretsshape.API, Handlers: secrets.Operations(), Needs: secrets.Needs()},
			{Service: ssmshape.API, Handlers: params.Operations(), Needs: params.Needs()},
			{Service: kmsshape.API, Handlers: keys.Operations(), Needs: keys.Needs()},
		}
	}, func(o *gateway.Options) {
		o.Clock = h.clock.now
		o.Log = log
	})
	config := h.Config(h.Root)
	h.secrets, h.params, h.keys = secretsmanager.NewFromConfig(config), ssm.NewFromConfig(config), kms.NewFromConfig(config)
	return h
}

var background = context.Background()

// done fails the test on an error, and hands the answer on.
func done[T any](t testing.TB) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused holds that an error is of the kind, and says the words.
func refused(t testing.TB, err error, kind, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != kind || !strings.Contains(api.ErrorMessage(), words) {
		t.Errorf("got  %v\nwant %s: %s", err, kind, words)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// said are the values with spaces between them.
func said(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }
