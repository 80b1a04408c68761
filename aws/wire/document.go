package wire

import (
	"encoding/json"
	"reflect"
)

// Document writes a struct, given by pointer, as JSON that no answer carries but an
// event does: like awsJson, with times in ISO 8601.
func (s *Service) Document(v any) json.RawMessage {
	e := reflect.ValueOf(v).Elem()
	return appendJSON(nil, s.shapes.of(e.Type()), e, timeISO8601)
}
