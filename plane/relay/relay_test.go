package relay

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/fault"
)

func TestOperations(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for name, c := range map[string]struct {
		path   string
		header map[string]string
		body   string
		want   string // "!" for a refusal
	}{
		"target":             {"/", map[string]string{"X-Amz-Target": "AmazonSQS.SendMessage"}, "", "SendMessage"},
		"form":               {"/", map[string]string{"Content-Type": form}, "Action=Publish&Version=1", "Publish"},
		"query":              {"/?Action=ListTopics", nil, "", "ListTopics"},
		"cbor":               {"/service/Kinesis_20131202/operation/PutRecord", map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}, "", "PutRecord"},
		"rest":               {"/2015-03-31/functions/f/invocations", nil, "{}", ""},
		"two in the form":    {"/", map[string]string{"Content-Type": form}, "Action=ListTopics&Action=DeleteTopic", "!"},
		"query and form":     {"/?Action=ListTopics", map[string]string{"Content-Type": form}, "Action=DeleteTopic", "!"},
		"target and form":    {"/", map[string]string{"Content-Type": form, "X-Amz-Target": "AmazonSQS.ListQueues"}, "Action=DeleteQueue", "!"},
		"no word":            {"/", map[string]string{"X-Amz-Target": "AmazonSQS.*"}, "", "!"},
		"an unreadable form": {"/", map[string]string{"Content-Type": form}, "Action=ListTopics&%zz", "!"},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, nil)
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		got, err := operation(r, []byte(c.body))
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestWhatCannotBeNamedNeedsEverything: of REST only the path tells.
func TestWhatCannotBeNamedNeedsEverything(t *testing.T) {
	r := New(Engine{Service: "lambda"}, nil, nil)
	for operation, want := range map[string]string{"": "lambda:*", "Invoke": "lambda:Invoke"} {
		needs, err := r.needs(t.Context(), &gateway.Call{Operation: operation}, nil)
		if err != nil || len(needs) != 1 || needs[0].Action != want {
			t.Errorf("%q: %+v, %v", operation, needs, err)
		}
	}
}

func TestNoTableIsAPattern(t *testing.T) {
	call := &gateway.Call{Scope: arn.Scope{Account: "123456789012", Region: "eu-central-1"}}
	for _, name := range []string{"*", "Game?", "arn:aws:dynamodb:eu-central-1:123456789012:table/*"} {
		if got, err := resourceOf(call, access{table: name}); !fault.IsKind(err, fault.Validation) {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// FuzzDocument: what is taken is read the same by everybody.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"TableName":"a","Key":{"p":{"S":"x"}},"L":[{"a":1},[2]]}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Add([]byte(`{"a":{"b":1,"\u0062":2}}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseDocument(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is not JSON", body)
		}
		a := access{action: "Query", asked: d, items: d.list("Keys")}
		a.keys()
		_, _ = a.leading("p")
		for _, operation := range []string{"GetItem", "BatchGetItem", "BatchWriteItem", "TransactWriteItems"} {
			accesses(operation, d)
		}
	})
}

// FuzzNamed: an expression names no keyword, no value and no function.
func FuzzNamed(f *testing.F) {
	f.Add("SET a.b[1] = if_not_exists(c, :v) REMOVE #d ADD e :v")
	f.Add("((a=:b)and size (c)>:d)")
	f.Fuzz(func(t *testing.T, expression string) {
		a := access{asked: document{}}
		for _, name := range a.named(expression) {
			if strings.ContainsAny(name, ":() ") || keyword(name) && name != "" {
				t.Fatalf("%q in %q", name, expression)
			}
		}
	})
}
