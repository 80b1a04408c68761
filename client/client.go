package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/berthhq/berth/protocol/sigv4"
)

// Client makes signed calls to the APIs of a place, in awsJson 1.1. Requests and
// answers are structs with the JSON names of the AWS API; each caller declares
// the few members it needs.
type Client struct {
	Place
	http *http.Client
}

// New makes a client.
func New(p Place) *Client {
	return &Client{Place: p, http: &http.Client{Transport: p.Transport(), Timeout: time.Minute}}
}

// As is the client of another caller at the same place, in a region; the
// connections are shared.
func (c *Client) As(keys sigv4.Keys, region string) *Client {
	other := *c
	other.AccessKeyID, other.Secret, other.SessionToken, other.Region = keys.ID, keys.Secret, keys.Token, region
	return &other
}

// Transport carries requests to the place, trusting its authority.
func (p Place) Transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil // berth is here, never behind a proxy
	if p.CAFile != "" {
		if pem, err := os.ReadFile(p.CAFile); err == nil {
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(pem)
			t.TLSClientConfig = &tls.Config{RootCAs: pool}
		}
	}
	return t
}

// API is one service as awsJson addresses it.
type API struct {
	Scope  string // of the signature
	Target string // prefix of X-Amz-Target
}

// The services that the command line and agents call.
var (
	ECS            = API{"ecs", "AmazonEC2ContainerServiceV20141113"}
	Logs           = API{"logs", "Logs_20140328"}
	SecretsManager = API{"secretsmanager", "secretsmanager"}
	SSM            = API{"ssm", "AmazonSSM"}
)

// Error is an answer that is an AWS error.
type Error struct {
	Code    string
	Message string
	Status  int
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Call makes one call; out may be nil.
func (c *Client) Call(ctx context.Context, api API, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	headers := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {api.Target + "." + operation}}
	answer, err := c.do(ctx, http.MethodPost, "/", api.Scope, headers, body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// Get makes a signed request to one of berth's own paths; its query is in path.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	answer, err := c.do(ctx, http.MethodGet, path, "berth", http.Header{}, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// Post makes a signed request to one of berth's own paths.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, path, "berth", http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

func (c *Client) do(ctx context.Context, method, path, scope string, headers http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = headers
	keys := sigv4.Keys{ID: c.AccessKeyID, Secret: c.Secret, Token: c.SessionToken}
	if err := sigv4.Sign(req, body, keys, scope, c.Region, time.Now()); err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, readError(resp.StatusCode, answer)
	}
	return answer, nil
}

func readError(status int, answer []byte) *Error {
	e := &Error{Status: status, Code: http.StatusText(status), Message: strings.TrimSpace(string(answer))}
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return e
	}
	if said.Type != "" {
		e.Code = said.Type[strings.LastIndexByte(said.Type, '#')+1:]
	}
	if said.Message != "" {
		e.Message = said.Message
	}
	if said.Hint != "" {
		e.Message += " (hint: " + said.Hint + ")"
	}
	return e
}

// ECR is the registry's API.
var ECR = API{"ecr", "AmazonEC2ContainerRegistry_V20150921"}

// RegistryLogin gets the account whose registry it is, and the password to log in
// with.
func (c *Client) RegistryLogin(ctx context.Context) (account, password string, err error) {
	if _, password, err = c.RegistryToken(ctx); err != nil {
		return "", "", err
	}
	account, err = c.Account(ctx)
	return account, password, err
}

// RegistryToken gets the user name and password that registry clients log in with.
func (c *Client) RegistryToken(ctx context.Context) (user, password string, err error) {
	var out struct {
		Data []struct {
			Token string `json:"authorizationToken"`
		} `json:"authorizationData"`
	}
	if err := c.Call(ctx, ECR, "GetAuthorizationToken", map[string]any{}, &out); err != nil {
		return "", "", err
	}
	if len(out.Data) == 0 {
		return "", "", errors.New("GetAuthorizationToken gave no token")
	}
	text, err := base64.StdEncoding.DecodeString(out.Data[0].Token)
	if err != nil {
		return "", "", fmt.Errorf("authorization token: %w", err)
	}
	user, password, _ = strings.Cut(string(text), ":")
	return user, password, nil
}
