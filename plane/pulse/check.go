package pulse

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/berthhq/berth/domain/discovery"
)

// Patience of Route 53 with a connection of TCP, and with an answer of HTTP.
const (
	tcpPatience  = 10 * time.Second
	httpPatience = 6 * time.Second
)

// check tells why an instance is ill; nil for one that is well.
func check(ctx context.Context, h *discovery.HealthCheck, i *discovery.Instance) error {
	host := cmp.Or(i.Attributes[discovery.InstanceIPv4], i.Attributes[discovery.InstanceIPv6])
	if host == "" {
		return nil // an alias: not checked
	}
	address := net.JoinHostPort(host, i.Attributes[discovery.InstancePort])
	switch h.Type {
	case "TCP":
		return connects(ctx, address)
	case "HTTPS":
		return answers(ctx, "https://"+address+h.Path)
	}
	return answers(ctx, "http://"+address+h.Path)
}

func connects(ctx context.Context, address string) error {
	c, err := (&net.Dialer{Timeout: tcpPatience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// answers tells whether a URL answers with 2xx or 3xx. Certificates are not looked at,
// as Route 53 does not.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, httpPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "Amazon-Route53-Health-Check-Service")
	client := &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, //nolint:gosec // see above
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); answer.StatusCode < 200 || answer.StatusCode > 399 {
		return errors.Join(fmt.Errorf("it answers %s", answer.Status), err)
	}
	return nil
}
