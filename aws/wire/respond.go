package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
)

// Respond answers with out, a pointer to a struct of the operation's Out; nil
// answers like an empty one. id is the request's id.
//
// If out holds a stream, Respond sends its events as they come, and returns when
// the stream ends, the stream fails, or the client is gone.
func (q *Request) Respond(w http.ResponseWriter, id string, out any) error {
	v, err := q.output(out)
	if err != nil {
		return err
	}
	s := q.Service.shapes.of(q.Operation.Out)
	if f := s.stream(); f != nil {
		return q.respondStream(w, id, s, f, v)
	}
	body := q.encode(id, s, v)
	q.head(w.Header(), id)
	if q.Protocol == RESTJSON && q.Operation.Status == http.StatusNoContent {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(q.status())
	_, err = w.Write(body)
	return err
}

// output is the struct behind out.
func (q *Request) output(out any) (reflect.Value, error) {
	v := reflect.ValueOf(out)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return reflect.New(q.Operation.Out).Elem(), nil
	}
	if v.Kind() != reflect.Pointer || v.Type().Elem() != q.Operation.Out {
		return reflect.Value{}, fmt.Errorf("answer %s: a %T is not a *%s", q.Name, out, q.Operation.Out)
	}
	return v.Elem(), nil
}

func (q *Request) status() int {
	if q.Operation.Status != 0 {
		return q.Operation.Status
	}
	return http.StatusOK
}

// head sets the headers every answer of the protocol has.
func (q *Request) head(h http.Header, id string) {
	h.Set("X-Amzn-Requestid", id)
	h.Set("Content-Type", q.Protocol.contentType())
	if q.Protocol == CBOR {
		h.Set("Smithy-Protocol", "rpc-v2-cbor")
	}
}

func (p Protocol) contentType() string {
	switch p {
	case AWSJSON10:
		return "application/x-amz-json-1.0"
	case AWSJSON11:
		return "application/x-amz-json-1.1"
	case RESTJSON:
		return "application/json"
	case CBOR:
		return "application/cbor"
	}
	return "text/xml;charset=UTF-8"
}

func (q *Request) encode(id string, s *shape, v reflect.Value) []byte {
	switch q.Protocol {
	case CBOR:
		return appendCBOR(nil, s, v)
	case AWSQuery:
		return q.encodeQuery(id, s, v)
	case EC2Query:
		return q.encodeEC2(id, s, v)
	}
	if q.Operation.Out == reflect.TypeFor[Empty]() && q.Protocol != RESTJSON {
		return nil
	}
	return appendJSON(make([]byte, 0, 512), s, v, timeDefault)
}

const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func (q *Request) encodeQuery(id string, s *shape, v reflect.Value) []byte {
	x := xmlWriter{b: make([]byte, 0, 1024)}
	root := q.Name + "Response"
	x.b = append(x.b, `<`+root+` xmlns="`+q.Service.Namespace+`">`...)
	if w := q.wrapper(); w != "" {
		x.open(w)
		x.members(s, v)
		x.close(w)
	} else {
		x.members(s, v)
	}
	x.open("ResponseMetadata")
	x.textElement("RequestId", id)
	x.close("ResponseMetadata")
	x.close(root)
	return x.b
}

// wrapper is the element around a query result. Services whose model is of a
// newer protocol do not name it any more.
func (q *Request) wrapper() string {
	if q.Operation.Wrapper == "" && q.Operation.Out != reflect.TypeFor[Empty]() {
		return q.Name + "Result"
	}
	return q.Operation.Wrapper
}

func (q *Request) encodeEC2(id string, s *shape, v reflect.Value) []byte {
	x := xmlWriter{b: make([]byte, 0, 1024)}
	root := q.Name + "Response"
	x.b = append(x.b, xmlHeader+`<`+root+` xmlns="`+q.Service.Namespace+`">`...)
	x.textElement("requestId", id)
	if len(s.fields) == 0 {
		x.textElement("return", "true")
	}
	x.members(s, v)
	x.close(root)
	return x.b
}
