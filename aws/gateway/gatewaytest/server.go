// Package gatewaytest runs a gateway on a real socket, over a store in memory,
// for the tests of services: with the SDK's clients and with the aws CLI.
package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/protocol/trail"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/memory"
)

// Scope is where the keys of a Server belong.
var Scope = arn.Scope{Account: "123456789012", Region: "eu-central-1"}

// Server is a gateway that listens.
type Server struct {
	URL     string
	Store   store.Store
	Gateway *gateway.Gateway
	Root    identity.AccessKey // the administrator's
	Audit   *Lines             // JSON, a line for each request
}

// Start runs a gateway with the services that offers makes over the store, until
// the test ends. Its callers may what their policies say; the administrator may
// everything. change may set other options; nil changes nothing.
func Start(t testing.TB, offers func(store.Store) []gateway.Offer, change func(*gateway.Options)) *Server {
	t.Helper()
	st := memory.Open()
	s := &Server{Store: st, Audit: &Lines{}}
	s.Root = s.AddKey(t, identity.AccessKey{
		ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Principal: identity.RootPrincipal(Scope.Account), Active: true,
	})
	options := gateway.Options{
		Offers: offers(st), Keys: gateway.StoredKeys{Store: st}, Authoriser: access.New(access.Config{Store: st}), Clock: time.Now,
		Log:   slog.New(slog.DiscardHandler),
		Audit: trail.NewLogger(s.Audit, slog.LevelDebug),
	}
	if change != nil {
		change(&options)
	}
	g, err := gateway.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	s.URL, s.Gateway = server.URL, g
	return s
}

// AddKey stores a key that callers may sign with.
func (s *Server) AddKey(t testing.TB, key identity.AccessKey) identity.AccessKey {
	t.Helper()
	_, err := s.Store.Update(context.Background(), func(tx *store.Tx) error {
		store.AccessKeys.Put(tx, &key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Config is for the SDK's clients, signing with the key, without retries.
func (s *Server) Config(key identity.AccessKey) aws.Config {
	return aws.Config{
		Region: Scope.Region, BaseEndpoint: aws.String(s.URL), HTTPClient: &http.Client{Transport: &transport{new(http.Transport)}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.SessionToken}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// transport hides that the SDK's request bodies write themselves. Once an answer begins
// the SDK closes its request, whose WriteTo then says io.EOF; net/http takes that for a
// failure and closes the connection under what is left of the answer, which only a
// server as near as this one is quick enough to meet.
type transport struct{ *http.Transport }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return t.Transport.RoundTrip(r)
}

// CLI runs the installed aws command with the key, and returns what it printed
// and its exit code. The test is skipped where there is no aws command.
func (s *Server) CLI(t testing.TB, key identity.AccessKey, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the aws command is not installed: `apt-get install awscli`")
	}
	command := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", s.URL}, args...)...)
	command.Env = append(withoutAWS(os.Environ()),
		"AWS_ACCESS_KEY_ID="+key.ID, "AWS_SECRET_ACCESS_KEY="+key.Secret, "AWS_DEFAULT_REGION="+Scope.Region,
		"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
	if key.SessionToken != "" {
		command.Env = append(command.Env, "AWS_SESSION_TOKEN="+key.SessionToken)
	}
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

func withoutAWS(environment []string) []string {
	var kept []string
	for _, e := range environment {
		if !strings.HasPrefix(e, "AWS_") {
			kept = append(kept, e)
		}
	}
	return kept
}
