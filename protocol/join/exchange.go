package join

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Path is where servers exchange tokens.
const Path = "/_berth/join"

// maxAnswer bounds what a joining machine reads from a server.
const maxAnswer = 64 << 10

// Request asks for keys.
type Request struct {
	Secret string `json:"secret"`
	Machine
}

// Machine is what a machine says of itself. All of it may be empty.
type Machine struct {
	Name         string `json:"name"`                   // host name, for people
	Zone         string `json:"zone,omitempty"`         // letter of its availability zone
	Architecture string `json:"architecture,omitempty"` // x86_64 or arm64
	Address      string `json:"address,omitempty"`      // private IPv4 address
}

// Response is the identity of the machine that joined.
type Response struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`

	Account    string `json:"account"`
	Region     string `json:"region"`
	ClusterARN string `json:"clusterArn"`
	RoleARN    string `json:"roleArn"`
	InstanceID string `json:"instanceId"` // i-..., the machine's own for good

	// DefaultVPC is the account's, whose tasks a machine reaches by their own
	// addresses; empty when there is none.
	DefaultVPC string `json:"defaultVpc,omitempty"`

	// Identity says which machine this is, signed. Registration takes no other word
	// for it.
	Identity Identity `json:"identity"`

	// Authority is the certificate authority in PEM form, which the pin proved.
	Authority string `json:"authority"`
}

// Identity is an instance identity document and its signatures, as EC2 has them. All
// but Document are base64.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-iid.html
type Identity struct {
	Document  string `json:"document,omitempty"`
	Signature string `json:"signature,omitempty"` // RSA with SHA-256
	PKCS7     string `json:"pkcs7,omitempty"`
	RSA2048   string `json:"rsa2048,omitempty"`
}

// Refusal is what a server says when it does not exchange a token.
type Refusal struct {
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (r *Refusal) Error() string {
	if r.Hint == "" {
		return r.Message
	}
	return r.Message + " (hint: " + r.Hint + ")"
}

// Join exchanges the token at the server, which must prove itself by the token's
// pin; on this machine itself plain HTTP will do. The server's refusal comes back
// as a *Refusal; the token is then as it was.
func Join(ctx context.Context, server string, token Token, machine Machine) (*Response, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, fmt.Errorf("the server %q must be an https:// address: a token never leaves this machine in the clear", server)
	}
	body, err := json.Marshal(Request{Secret: token.Secret, Machine: machine})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(server, "/")+Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := pinnedClient(u.Hostname(), token.Pin).Do(r)
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", server, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", server, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, readRefusal(answer.StatusCode, text)
	}
	return readResponse(text, token.Pin)
}

// loopback tells whether the host is this machine, without asking DNS.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func readRefusal(status int, text []byte) error {
	var refusal Refusal
	if err := json.Unmarshal(text, &refusal); err != nil || refusal.Message == "" {
		return fmt.Errorf("the server answered %d to the join token; is this a berth server?", status)
	}
	return &refusal
}

func readResponse(text []byte, pin Pin) (*Response, error) {
	var response Response
	if err := json.Unmarshal(text, &response); err != nil {
		return nil, fmt.Errorf("the server's answer to the join token cannot be read: %w", err)
	}
	if response.AccessKeyID == "" || response.SecretAccessKey == "" || response.ClusterARN == "" {
		return nil, errors.New("the server's answer to the join token lacks keys or cluster")
	}
	if err := checkPEM([]byte(response.Authority), pin); err != nil {
		return nil, err
	}
	return &response, nil
}

func pinnedClient(host string, pin Pin) *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{TLSClientConfig: PinnedTLS(host, pin), DisableKeepAlives: true},
		// A redirect could lead the secret to a server that the pin does not prove.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
