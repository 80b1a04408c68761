package wire

import (
	"net/http"
	"reflect"
)

// Decode reads the operation's input: a pointer to a struct of the operation's In.
// r and body are those given to Detect. It changes neither.
func (q *Request) Decode(r *http.Request, body []byte) (any, error) {
	out := reflect.New(q.Operation.In)
	s := q.Service.shapes.of(q.Operation.In)
	if err := q.decode(r, body, s, out.Elem()); err != nil {
		return nil, err
	}
	return out.Interface(), nil
}

func (q *Request) decode(r *http.Request, body []byte, s *shape, v reflect.Value) error {
	if q.form != nil {
		return queryReader{ec2: q.Protocol == EC2Query}.structure(q.form, s, v)
	}
	plain, err := plainBody(r.Header, body)
	if err != nil {
		return err
	}
	switch q.Protocol {
	case CBOR:
		return decodeCBOR(plain, s, v)
	case RESTJSON:
		return decodeREST(q.labels, r.URL.Query(), plain, s, v)
	}
	return decodeJSON(plain, s, v)
}
