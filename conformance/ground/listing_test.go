package ground_test

import (
	"reflect"
)

// listing is an operation that answers with a list, and what tells its items apart.
type listing struct{ operation, items, id string }

// ask sends a request with those of the members that it has, and takes the answer apart.
func (l listing) ask(h *house, members map[string]any) (ids []string, next *string, err error) {
	call := reflect.ValueOf(h.Client).MethodByName(l.operation)
	in := reflect.New(call.Type().In(1).Elem())
	for name, value := range members {
		if f := in.Elem().FieldByName(name); f.IsValid() && f.Type() == reflect.TypeOf(value) {
			f.Set(reflect.ValueOf(value))
		}
	}
	out := call.Call([]reflect.Value{reflect.ValueOf(background), in})
	if !out[1].IsNil() {
		return nil, nil, out[1].Interface().(error)
	}
	answer := out[0].Elem()
	for _, item := range answer.FieldByName(l.items).Seq2() {
		ids = append(ids, *item.FieldByName(l.id).Interface().(*string))
	}
	if token := answer.FieldByName("NextToken"); token.IsValid() {
		next = token.Interface().(*string)
	}
	return ids, next, nil
}
