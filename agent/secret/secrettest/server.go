// Package secrettest stands in for the servers that keep secrets: it speaks the
// wire of Secrets Manager, the parameter store and S3, and checks signatures.
package secrettest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/task"
)

// Server keeps values. Its methods may be called while it serves.
type Server struct {
	URL  string
	keys string

	mu         sync.Mutex
	secrets    map[string]string // by id, or id|stage|version
	parameters map[string]string
	objects    map[string]string // by "bucket/key"
	denied     map[string]bool   // actions: "ssm:GetParameters"
	broken     int               // requests to answer 503
	calls      []string
}

// KeyID is of the one key that the server knows: that of the execution role.
const KeyID = "ASIAEXECUTION"

// New serves until the test ends.
func New(t testing.TB) *Server {
	s := &Server{secrets: map[string]string{}, parameters: map[string]string{}, objects: map[string]string{}, denied: map[string]bool{}}
	served := httptest.NewServer(s)
	t.Cleanup(served.Close)
	s.URL = served.URL
	return s
}

// Client reaches the server with keys that it refuses: those of the machine.
func (s *Server) Client() *client.Client {
	return client.New(client.Place{Endpoint: s.URL, AccessKeyID: "ASIAMACHINE", Secret: "secret", Region: "us-east-1"})
}

// Role are the keys that the server takes.
func Role() *task.Credentials {
	return &task.Credentials{ID: "execution-id", RoleARN: "arn:aws:iam::000000000000:role/exec", AccessKeyID: KeyID, SecretAccessKey: "secret",
		SessionToken: "token", Expiration: time.Now().Add(time.Hour)}
}

// Secret sets a secret's value; version may be "id", "id|STAGE|" or "id||version".
func (s *Server) Secret(version, value string) { s.set(func() { s.secrets[version] = value }) }

// Parameter sets a parameter; name may carry a ":version".
func (s *Server) Parameter(name, value string) { s.set(func() { s.parameters[name] = value }) }

// Object sets an object.
func (s *Server) Object(bucket, key, content string) {
	s.set(func() { s.objects[bucket+"/"+key] = content })
}

// Deny refuses an action, or allows it again.
func (s *Server) Deny(action string, denied bool) { s.set(func() { s.denied[action] = denied }) }

// Break answers so many requests with 503.
func (s *Server) Break(requests int) { s.set(func() { s.broken = requests }) }

// Calls lists what was asked: "ssm:GetParameters" and the like.
func (s *Server) Calls() (calls []string) {
	s.set(func() { calls = append(calls, s.calls...) })
	return calls
}

func (s *Server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken > 0 {
		s.broken--
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	if claim := r.Header.Get("Authorization"); !strings.Contains(claim, KeyID+"/") {
		refuse(w, "UnrecognizedClientException", "The security token included in the request is invalid.")
		return
	}
	_, operation, called := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case called && operation == "GetSecretValue":
		s.getSecret(w, r)
	case called && operation == "GetParameters":
		s.getParameters(w, r)
	default:
		s.getObject(w, r)
	}
}

func refuse(w http.ResponseWriter, code, message string) {
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
}

// may notes a call and refuses it where the action is denied.
func (s *Server) may(w http.ResponseWriter, action, resource string) bool {
	s.calls = append(s.calls, action)
	if s.denied[action] {
		refuse(w, "AccessDeniedException", "User: arn:aws:sts::000000000000:assumed-role/exec/1 is not authorized to perform: "+action+" on resource: "+resource+" because no identity-based policy allows the "+action+" action")
		return false
	}
	return true
}

func (s *Server) getSecret(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId, VersionStage, VersionId string } //nolint:revive // the wire's names
	_ = json.NewDecoder(r.Body).Decode(&in)
	if !s.may(w, "secretsmanager:GetSecretValue", in.SecretId) {
		return
	}
	key := in.SecretId
	if in.VersionStage != "" || in.VersionId != "" {
		key += "|" + in.VersionStage + "|" + in.VersionId
	}
	value, ok := s.secrets[key]
	if !ok {
		refuse(w, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": value})
}

func (s *Server) getParameters(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Names          []string
		WithDecryption bool
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if !s.may(w, "ssm:GetParameters", "arn:aws:ssm:us-east-1:000000000000:parameter/"+strings.TrimPrefix(in.Names[0], "/")) {
		return
	}
	if len(in.Names) > 10 || !in.WithDecryption {
		refuse(w, "ValidationException", "Member must have length less than or equal to 10")
		return
	}
	type parameter struct{ Name, ARN, Selector, Value string }
	out := struct {
		Parameters        []parameter
		InvalidParameters []string
	}{}
	for _, name := range in.Names {
		value, ok := s.parameters[name]
		if !ok {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		p := parameter{Name: name, Value: value}
		if strings.HasPrefix(name, "arn:") {
			p.ARN, p.Name = name, name[strings.LastIndex(name, "parameter")+len("parameter"):]
		} else if plain, version, ok := strings.Cut(name, ":"); ok {
			p.Name, p.Selector = plain, ":"+version
		}
		out.Parameters = append(out.Parameters, p)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) getObject(w http.ResponseWriter, r *http.Request) {
	path, _ := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/"))
	s.calls = append(s.calls, "s3:GetObject")
	content, ok := s.objects[path]
	switch {
	case s.denied["s3:GetObject"]:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	case !ok || r.Header.Get("X-Amz-Content-Sha256") == "":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
	default:
		fmt.Fprint(w, content)
	}
}
