package iam_test

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/api/iam"
	"github.com/berthhq/berth/aws/api/sts"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/iam"
	stsshape "github.com/berthhq/berth/aws/shape/sts"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/plane/access"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

const account = "123456789012"

// Policies that tests give.
const (
	trustECS = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readS3   = `{"Version":"2012-10-17","Statement":[{"Sid":"read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
)

// server is IAM and STS on a real socket.
type server struct {
	*gatewaytest.Server
	t   *testing.T
	key identity.AccessKey
}

func start(t *testing.T, usage iam.Usage) *server {
	s := &server{t: t, Server: gatewaytest.Start(t, func(st store.Store) []gateway.Offer {
		i, token := iam.New(iam.Config{Store: st, Usage: usage}), sts.New(sts.Config{Store: st, Keys: access.New(access.Config{Store: st}).Keys})
		return []gateway.Offer{
			{Service: shape.API, Handlers: i.Operations(), Needs: i.Needs()},
			{Service: stsshape.API, Handlers: token.Operations(), Needs: token.Needs()},
		}
	}, nil)}
	s.key = s.Root
	if err := iam.EnsureManagedPolicies(context.Background(), s.Store, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

// as is the same server, called with another key.
func (s *server) as(key identity.AccessKey) *server {
	other := *s
	other.key = key
	return &other
}

// element is an answer, as a client that knows no model sees it.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// all are the elements at a path such as "Roles/member".
func (e element) all(path string) []element {
	name, rest, more := strings.Cut(path, "/")
	var out []element
	for _, c := range e.Children {
		switch {
		case c.XMLName.Local != name:
		case more:
			out = append(out, c.all(rest)...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// get is the text at a path; "-" where there is nothing.
func (e element) get(path string) string {
	found := e.all(path)
	if len(found) == 0 {
		return "-"
	}
	return strings.TrimSpace(found[0].Text)
}

// texts are the texts of all elements at a path, with commas.
func (e element) texts(path string) string {
	var out []string
	for _, c := range e.all(path) {
		out = append(out, strings.TrimSpace(c.Text))
	}
	return strings.Join(out, ",")
}

// call calls an operation with parameters "Name=value". code is empty when it worked.
func (s *server) call(operation string, parameters ...string) (result element, code, message string) {
	s.t.Helper()
	service, version := "iam", "2010-05-08"
	if stsshape.API.Operation(operation) != nil {
		service, version = "sts", "2011-06-15"
	}
	form := url.Values{"Action": {operation}, "Version": {version}}
	for _, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		form.Set(name, value)
	}
	body := form.Encode()
	r, err := http.NewRequest(http.MethodPost, s.URL+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	keys := sigv4.Keys{ID: s.key.ID, Secret: s.key.Secret, Token: s.key.SessionToken}
	if err := sigv4.Sign(r, []byte(body), keys, service, gatewaytest.Scope.Region, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var answer element
	if err := xml.Unmarshal(data, &answer); err != nil {
		s.t.Fatalf("%s answered %q: %v", operation, data, err)
	}
	if reply.StatusCode != http.StatusOK {
		return element{}, answer.get("Error/Code"), answer.get("Error/Message")
	}
	if results := answer.all(operation + "Result"); len(results) == 1 {
		return results[0], "", ""
	}
	return answer, "", ""
}

// do calls and fails the test on an error.
func (s *server) do(operation string, parameters ...string) element {
	s.t.Helper()
	out, code, message := s.call(operation, parameters...)
	if code != "" {
		s.t.Fatalf("%s(%v): %s: %s", operation, parameters, code, message)
	}
	return out
}

// refused calls and expects an error whose message begins with the words.
func (s *server) refused(code, message, operation string, parameters ...string) {
	s.t.Helper()
	_, gotCode, gotMessage := s.call(operation, parameters...)
	if gotCode != code || !strings.HasPrefix(gotMessage, message) {
		s.t.Errorf("%s(%v)\ngot  %s: %s\nwant %s: %s", operation, parameters, gotCode, gotMessage, code, message)
	}
}

func (s *server) expect(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// keyOf makes an access key of a user through the API.
func (s *server) keyOf(user string) identity.AccessKey {
	s.t.Helper()
	made := s.do("CreateAccessKey", "UserName="+user)
	return identity.AccessKey{ID: made.get("AccessKey/AccessKeyId"), Secret: made.get("AccessKey/SecretAccessKey")}
}

// session reads the keys in an answer of STS.
func session(e element) identity.AccessKey {
	return identity.AccessKey{
		ID: e.get("Credentials/AccessKeyId"), Secret: e.get("Credentials/SecretAccessKey"), SessionToken: e.get("Credentials/SessionToken"),
	}
}
