package pulse_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/discovery"
	"github.com/berthhq/berth/plane/pulse"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

func TestInstancesAreWellAndIll(t *testing.T) {
	var ill atomic.Bool
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ill.Load() || r.URL.Path != "/up" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	s, scope := memory.Open(), arn.Scope{Account: "123456789012", Region: "eu-central-1"}
	port := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return u.Port()
	}
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		for kind, at := range map[string]string{"HTTP": port(plain.URL), "HTTPS": port(secure.URL), "TCP": port(plain.URL)} {
			store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: kind, Health: &discovery.HealthCheck{Type: kind, Path: "/up", Threshold: 2}})
			store.DiscoveryInstances.Put(tx, &discovery.Instance{Scope: scope, ServiceID: kind, ID: "i", Attributes: map[string]string{discovery.InstanceIPv4: "127.0.0.1", discovery.InstancePort: at}})
		}
		store.Discoveries.Put(tx, &discovery.Service{Scope: scope, ID: "unchecked"})
		store.DiscoveryInstances.Put(tx, &discovery.Instance{Scope: scope, ServiceID: "unchecked", ID: "i", Attributes: map[string]string{discovery.InstanceIPv4: "127.0.0.1", discovery.InstancePort: "1"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &pulse.Pulse{Store: s, Log: slog.New(slog.DiscardHandler)}
	look := func(want ...string) {
		t.Helper()
		p.Look(context.Background())
		var got []string
		for i := range store.DiscoveryInstances.All(s.View()) {
			if i.Unhealthy {
				got = append(got, i.ServiceID)
			}
		}
		if len(got) != len(want) {
			t.Errorf("ill are %v, want %v", got, want)
		}
	}
	look()
	ill.Store(true)
	look()
	look("HTTP", "HTTPS")
	ill.Store(false)
	look("HTTP", "HTTPS")
	look()
	plain.Close()
	look()
	look("HTTP", "TCP")
}
