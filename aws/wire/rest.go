package wire

import (
	"net/url"
	"reflect"

	"github.com/berthhq/berth/domain/fault"
)

// decodeREST reads a restJson1 request: labels of the path, the query string and
// a JSON body for the rest.
func decodeREST(labels map[string]string, query url.Values, body []byte, s *shape, v reflect.Value) error {
	if s.body {
		if err := decodeJSON(body, s, v); err != nil {
			return err
		}
	}
	for i := range s.fields {
		f := &s.fields[i]
		var values []string
		switch f.in {
		case inPath:
			values = []string{labels[f.name]}
		case inQuery:
			values = query[f.name]
		}
		if len(values) == 0 {
			continue
		}
		if err := setParameter(f, values, f.target(v)); err != nil {
			return err
		}
	}
	return nil
}

func setParameter(f *field, values []string, v reflect.Value) error {
	if f.shape.kind != kindList {
		return named(f.name, values[0], setText(f.shape, v, values[0]))
	}
	v.Set(reflect.MakeSlice(f.shape.typ, len(values), len(values)))
	for i, text := range values {
		if err := named(f.name, text, setText(f.shape.elem, v.Index(i), text)); err != nil {
			return err
		}
	}
	return nil
}

func named(name, text string, err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Serialization, "Value (%s) for parameter %s is invalid. %v", text, name, err).Because(err)
}
