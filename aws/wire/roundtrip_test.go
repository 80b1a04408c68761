package wire_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthhq/berth/aws/shape/cloudwatch"
	"github.com/berthhq/berth/aws/shape/ecs"
	"github.com/berthhq/berth/aws/wire"
)

// draw makes up a value of any type a shape is made of.
func draw(t *rapid.T, v reflect.Value, depth int) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.UnixMilli(rapid.Int64Range(-1e12, 4e12).Draw(t, "time")).UTC()))
		return
	case v.Type() == reflect.TypeFor[wire.Document]():
		v.SetBytes([]byte(rapid.SampledFrom([]string{`{}`, `[1,"a",null]`, `"x"`, `-1.5e3`}).Draw(t, "document")))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 6 && rapid.Bool().Draw(t, "present") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			draw(t, field, depth)
		}
	case reflect.Slice:
		if depth < 6 && rapid.Bool().Draw(t, "present") {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			for range rapid.IntRange(0, 2).Draw(t, "length") {
				item := reflect.New(v.Type().Elem()).Elem()
				draw(t, item, depth+1)
				v.Set(reflect.Append(v, item))
			}
		}
	case reflect.Map:
		if rapid.Bool().Draw(t, "present") {
			v.Set(reflect.MakeMap(v.Type()))
			for range rapid.IntRange(0, 2).Draw(t, "length") {
				key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				draw(t, key, depth+1)
				draw(t, item, depth+1)
				v.SetMapIndex(key, item)
			}
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int32:
		v.SetInt(int64(rapid.Int32().Draw(t, "int")))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "long"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "double"))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Byte().Draw(t, "byte")))
	}
}

// TestWhatTheClientSendsIsWhatTheHandlerGets sends made-up requests of the largest
// shapes through our client and server.
func TestWhatTheClientSendsIsWhatTheHandlerGets(t *testing.T) {
	var got any
	var answer any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, in, err := read(r)
		if err != nil {
			t.Error(err)
			return
		}
		got = in
		if err := q.Respond(w, "id", answer); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	c := wire.Client{Service: ecs.API, Endpoint: server.URL, HTTP: server.Client()}
	rapid.Check(t, func(rt *rapid.T) {
		in := &ecs.RegisterTaskDefinitionRequest{}
		out := &ecs.DescribeServicesResponse{}
		draw(rt, reflect.ValueOf(in).Elem(), 2)
		draw(rt, reflect.ValueOf(out).Elem(), 2)
		answer = &ecs.RegisterTaskDefinitionResponse{}
		if err := c.Call(t.Context(), "RegisterTaskDefinition", in, nil); err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(got, any(in)) {
			rt.Fatalf("sent %s\ngot %s", show(in), show(got))
		}
		answer = out
		var back ecs.DescribeServicesResponse
		if err := c.Call(t.Context(), "DescribeServices", &ecs.DescribeServicesRequest{}, &back); err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(&back, out) {
			rt.Fatalf("answered %s\ngot %s", show(out), show(back))
		}
	})
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestCBORAnswersReadBack decodes what Respond wrote as if it were a request.
func TestCBORAnswersReadBack(t *testing.T) {
	q, err := directory().Detect(request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm", "", "Smithy-Protocol", "rpc-v2-cbor"), nil)
	if err != nil {
		t.Fatal(err)
	}
	mirror := *q.Operation
	mirror.Out = mirror.In
	q.Operation = &mirror
	rapid.Check(t, func(rt *rapid.T) {
		out := &cloudwatch.PutMetricAlarmInput{}
		draw(rt, reflect.ValueOf(out).Elem(), 2)
		w := httptest.NewRecorder()
		if err := q.Respond(w, "id", out); err != nil {
			rt.Fatal(err)
		}
		in, err := q.Decode(request("POST", "/", ""), w.Body.Bytes())
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(in, any(out)) {
			rt.Fatalf("wrote %s\nread %s", show(out), show(in))
		}
	})
}
