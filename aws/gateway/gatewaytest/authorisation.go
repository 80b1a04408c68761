package gatewaytest

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Authorised is an operation, the least that calls it, and what a caller needs to be
// allowed for that.
type Authorised struct {
	Operation string
	// Input is JSON, or for the query protocols "Name=value&...", without Action and
	// Version. Empty stands for nothing.
	Input string
	// Needs in the order in which they are asked for. Every action is named in full;
	// no resource stands for "*".
	Needs []gateway.Need
}

// Authorisation shows for each case that a caller without policies is refused, that
// one with a policy for just the needs is not, and that one who lacks any of them,
// has it for another resource alone, or under another condition, is refused. Every
// operation of the service that has a handler must have a case. start makes a server
// with what the cases name; it is called for each case.
func Authorisation(t *testing.T, start func(testing.TB) *Server, api *wire.Service, cases []Authorised) {
	missing := map[string]bool{}
	for _, offer := range start(t).Gateway.Offers {
		if offer.Service == api {
			for operation := range offer.Handlers {
				missing[operation] = true
			}
		}
	}
	for _, c := range cases {
		delete(missing, c.Operation)
		t.Run(c.Operation, func(t *testing.T) { (&trial{start(t), api, c}).run(t) })
	}
	for operation := range maps.Keys(missing) {
		t.Errorf("%s has no case", operation)
	}
}

// trial is one case on a server of its own.
type trial struct {
	*Server
	api *wire.Service
	Authorised
}

func (x *trial) run(t *testing.T) {
	if len(x.Needs) == 0 {
		x.expect(t, "without policies", nil, "")
		return
	}
	x.expect(t, "without policies", nil, refusalOf(x.Needs[0]))
	for i := range x.Needs {
		for what, other := range spoiled(x.Needs[i]) {
			with := append([]gateway.Need{}, x.Needs...)
			with[i] = other
			x.expect(t, what, with, refusalOf(x.Needs[i]))
		}
	}
	x.expect(t, "with just its needs", x.Needs, "")
}

// spoiled are grants that almost cover a need.
func spoiled(need gateway.Need) map[string]gateway.Need {
	action := need
	action.Action = strings.Replace(need.Action, ":", ":Not", 1)
	out := map[string]gateway.Need{"without " + need.Action: action}
	if len(need.Resources) > 0 {
		other := need
		other.Resources = []string{need.Resources[0] + "-other"}
		out["with "+need.Action+" on another resource"] = other
	}
	for key := range need.Keys {
		other := need
		other.Keys = maps.Clone(need.Keys)
		other.Keys[key] = []string{"something-else"}
		out["with "+need.Action+" under another "+key] = other
	}
	return out
}

// refusalOf is what a caller reads who lacks a need.
func refusalOf(need gateway.Need) string {
	resource := "*"
	if len(need.Resources) > 0 {
		resource = need.Resources[0]
	}
	if strings.HasPrefix(need.Action, "s3:") {
		resource = strconv.Quote(resource) // as S3 words it
	}
	return "is not authorized to perform: " + need.Action + " on resource: " + resource + " because no"
}

// expect calls as a role with a policy that allows the needs. refusal is empty where
// the call must get past the door, whatever becomes of it behind.
func (x *trial) expect(t *testing.T, what string, allowed []gateway.Need, refusal string) {
	t.Helper()
	status, body := x.send(t, x.Role(t, "tester", Allowing(allowed...)))
	denied := strings.Contains(body, "is not authorized to perform: ")
	switch {
	case refusal == "" && (denied || status >= 500):
		t.Errorf("%s: %d %s", what, status, body)
	case refusal != "" && !strings.Contains(body, refusal):
		t.Errorf("%s:\ngot  %d %s\nwant %s", what, status, body, refusal)
	}
}

type statement = map[string]any

func policyText(statements ...statement) string {
	text, err := json.Marshal(statement{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}

// Allowing is a policy that allows needs and nothing else.
func Allowing(needs ...gateway.Need) string {
	if len(needs) == 0 {
		return policyText(statement{"Effect": "Allow", "Action": "none:Nothing", "Resource": "*"})
	}
	var statements []statement
	for _, need := range needs {
		s := statement{"Effect": "Allow", "Action": need.Action, "Resource": "*"}
		if len(need.Resources) > 0 {
			s["Resource"] = need.Resources
		}
		if len(need.Keys) > 0 {
			s["Condition"] = statement{"ForAnyValue:StringEquals": need.Keys}
		}
		statements = append(statements, s)
	}
	return policyText(statements...)
}

// send calls the operation in the first of the service's protocols that is text.
func (x *trial) send(t *testing.T, key identity.AccessKey) (status int, body string) {
	t.Helper()
	r, text := x.request(t)
	keys := sigv4.Keys{ID: key.ID, Secret: key.Secret, Token: key.SessionToken}
	if err := sigv4.Sign(r, []byte(text), keys, x.api.Scope, Scope.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") == "application/vnd.amazon.eventstream" {
		return answer.StatusCode, "" // it would go on
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, html.UnescapeString(string(data))
}

func (x *trial) request(t *testing.T) (*http.Request, string) {
	t.Helper()
	method, path, kind, target, text := http.MethodPost, "/", "", "", x.Input
	op := x.api.Operation(x.Operation)
	switch {
	case op == nil:
		t.Fatalf("%s has no operation %s", x.api.Name, x.Operation)
	case x.api.Speaks(wire.AWSJSON11):
		kind, target = "application/x-amz-json-1.1", x.api.TargetPrefix+"."+x.Operation
	case x.api.Speaks(wire.AWSJSON10):
		kind, target = "application/x-amz-json-1.0", x.api.TargetPrefix+"."+x.Operation
	case x.api.Speaks(wire.RESTJSON):
		method, path, kind = op.Method, labelled(t, op.Path, x.Input), "application/json"
	default:
		kind, text = "application/x-www-form-urlencoded", fmt.Sprintf("Action=%s&Version=%s&%s", x.Operation, x.api.Version, x.Input)
	}
	if text == "" {
		text = "{}"
	}
	r, err := http.NewRequest(method, x.URL+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	return r, text
}

// labelled fills the {labels} of a path with the members of the input.
func labelled(t *testing.T, path, input string) string {
	var members map[string]any
	if input != "" {
		if err := json.Unmarshal([]byte(input), &members); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range members {
		path = strings.ReplaceAll(path, "{"+name+"}", fmt.Sprint(value))
	}
	return path
}
