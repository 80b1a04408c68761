package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/domain/fault"
)

// FuzzJSON holds the JSON reader to the standard library's idea of JSON: what is
// not JSON is refused, and what was read is read again from what is written.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"count":1,"tags":[{"key":"a","value":"\u00e9\ud83d\udea2"}]}`, `{"overrides":{"containerOverrides":[{"environment":[]}]},"x":[1e5,-0.5,null,true]}`,
		`{"cluster":"\ud800","count":1E+2}`, `[`, `{"a":01}`, `{"a":"` + "\x80" + `"}`,
	} {
		f.Add([]byte(seed))
	}
	d := directory()
	q, err := d.Detect(ecsRequest("RunTask", ""), nil)
	if err != nil {
		f.Fatal(err)
	}
	mirror := *q.Operation
	mirror.Out = mirror.In
	q.Operation = &mirror
	r := ecsRequest("RunTask", "")
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := q.Decode(r, body)
		if err != nil {
			if !fault.IsKind(err, fault.Serialization) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if len(bytes.TrimLeft(body, " \t\r\n")) > 0 && !json.Valid(body) {
			t.Fatalf("%q is not JSON and was read", body)
		}
		w := httptest.NewRecorder()
		if err := q.Respond(w, "id", in); err != nil {
			t.Fatal(err)
		}
		again, err := q.Decode(r, w.Body.Bytes())
		if err != nil || !reflect.DeepEqual(again, in) {
			t.Fatalf("%q became %s, which reads as another (%v)", body, w.Body, err)
		}
	})
}

// FuzzCBOR holds the CBOR reader to another library's idea of well-formed CBOR.
func FuzzCBOR(f *testing.F) {
	for _, v := range []any{
		map[string]any{}, map[string]any{"Namespace": "a", "MetricData": []any{map[string]any{"Value": 1.5, "Timestamp": cbor.Tag{Number: 1, Content: 7.25}}}},
	} {
		b, err := cbor.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xbf, 0x7f, 0x61, 'a', 0x61, 'b', 0xff, 0x9f, 0xf9, 0x3c, 0x00, 0xff, 0xff})
	wellFormed, err := cbor.DecOptions{MaxNestedLevels: 256, MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20}.DecMode()
	if err != nil {
		f.Fatal(err)
	}
	q, err := directory().Detect(request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "", "Smithy-Protocol", "rpc-v2-cbor"), nil)
	if err != nil {
		f.Fatal(err)
	}
	mirror := *q.Operation
	mirror.Out = mirror.In
	q.Operation = &mirror
	r := request("POST", "/", "")
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := q.Decode(r, body)
		if err != nil {
			if !fault.IsKind(err, fault.Serialization) {
				t.Fatalf("%x: %v", body, err)
			}
			return
		}
		if len(body) > 0 && wellFormed.Wellformed(body) != nil {
			t.Fatalf("%x is not CBOR and was read: %v", body, wellFormed.Wellformed(body))
		}
		w := httptest.NewRecorder()
		if err := q.Respond(w, "id", in); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Decode(r, w.Body.Bytes()); err != nil {
			t.Fatalf("%x became %x, which is not read: %v", body, w.Body, err)
		}
		_ = in.(*cloudwatch.PutMetricDataInput)
	})
}

// FuzzQuery reads any form as two requests with deep shapes.
func FuzzQuery(f *testing.F) {
	f.Add("Filter.1.Name=vpc-id&Filter.1.Value.1=a&MaxResults=5")
	f.Add("Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=1&Conditions.member.2.Values.member.1=x")
	f.Add("a=%zz&.=&..=1&=2&Filter=&Filter.x=1&Filter.-1=2&Filter.99999999999999999999=3")
	d := directory()
	f.Fuzz(func(t *testing.T, text string) {
		for _, head := range []string{"Action=DescribeVpcs&Version=2016-11-15&", "Action=CreateRule&Version=2015-12-01&"} {
			body := []byte(head + text)
			r := request("POST", "/", "", "Content-Type", formType)
			q, err := d.Detect(r, body)
			if err == nil {
				_, err = q.Decode(r, body)
			}
			if err != nil && !fault.IsKind(err, fault.Serialization) && !fault.IsKind(err, fault.UnknownOperation) && !fault.IsKind(err, fault.MissingParameter) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

// FuzzDetect takes any request line and headers; whatever it finds must be
// answerable.
func FuzzDetect(f *testing.F) {
	f.Add("POST", "/", "X.Y", "application/x-amz-json-1.1", "AWS4-HMAC-SHA256 Credential=a/b/c/ecs/aws4_request", "")
	f.Add("GET", "/2015-02-01/file-systems/%2e%2e/policy", "", "", "Credential=a/b/c/elasticfilesystem/aws4_request", "")
	f.Add("POST", "/service//operation/", "", "rpc-v2-cbor", "", "\xff")
	d := directory()
	f.Fuzz(func(t *testing.T, method, path, target, kind, authorization, body string) {
		if !strings.HasPrefix(path, "/") {
			return
		}
		r := request("POST", "/", "", "Content-Type", kind, "Authorization", authorization, "X-Amz-Target", target)
		r.Method = method
		r.URL.Path = path
		if kind == "rpc-v2-cbor" {
			r.Header.Set("Smithy-Protocol", kind)
		}
		q, err := d.Detect(r, []byte(body))
		if err == nil && q.Operation.Modelled() {
			_, err = q.Decode(r, []byte(body))
		}
		if err == nil {
			return
		}
		w := httptest.NewRecorder()
		if err := q.Refuse(w, "id", fault.Of(err)); err != nil || w.Code < 400 {
			t.Fatalf("status %d: %v", w.Code, err)
		}
	})
}
