package fields_test

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// member is one choice of a union: its name and the struct that carries it.
type member struct {
	name  string
	is    reflect.Type
	field reflect.StructField
}

// members are the choices of the client's unions, which reflection does not find
// from the union.
func members(union reflect.Type) []member {
	if union.Kind() != reflect.Interface {
		return nil
	}
	var all []member
	for _, t := range []reflect.Type{
		reflect.TypeFor[types.ServiceConnectContainerConfigurationMemberLogLevel](),
		reflect.TypeFor[types.SharingStrategyMemberNvidiaMps](),
		reflect.TypeFor[types.GatewayConfigurationMemberHostSharedAlb](),
		reflect.TypeFor[types.GatewayConnectionResourcesMemberHostSharedAlb](),
	} {
		if reflect.PointerTo(t).Implements(union) {
			_, name, _ := strings.Cut(t.Name(), "Member")
			f, _ := t.FieldByName("Value")
			all = append(all, member{lower(name), t, f})
		}
	}
	return all
}

// fill sets a value of the client's types from JSON as encoding/json reads it.
func fill(to reflect.Value, from any) error {
	switch {
	case from == nil:
		return nil
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return fill(to.Elem(), from)
	case to.Type() == reflect.TypeFor[time.Time]():
		at, err := time.Parse(time.RFC3339, fmt.Sprint(from))
		to.Set(reflect.ValueOf(at))
		return err
	case to.Type() == reflect.TypeFor[document.Interface]():
		to.Set(reflect.ValueOf(document.NewLazyDocument(from)))
		return nil
	}
	switch v := from.(type) {
	case map[string]any:
		return fillObject(to, v)
	case []any:
		if to.Kind() != reflect.Slice {
			break
		}
		to.Set(reflect.MakeSlice(to.Type(), len(v), len(v)))
		for i := range v {
			if err := fill(to.Index(i), v[i]); err != nil {
				return err
			}
		}
		return nil
	default:
		if scalar := reflect.ValueOf(from); scalar.CanConvert(to.Type()) && (scalar.Kind() == reflect.String) == (to.Kind() == reflect.String) {
			to.Set(scalar.Convert(to.Type()))
			return nil
		}
	}
	return fmt.Errorf("%v is no %s", from, to.Type())
}

func fillObject(to reflect.Value, from map[string]any) error {
	if to.Kind() == reflect.Map {
		to.Set(reflect.MakeMap(to.Type()))
	}
	for name, v := range from {
		switch to.Kind() {
		case reflect.Map:
			item := reflect.New(to.Type().Elem()).Elem()
			if err := fill(item, v); err != nil {
				return err
			}
			to.SetMapIndex(reflect.ValueOf(name), item)
		case reflect.Interface:
			if err := fillUnion(to, name, v); err != nil {
				return err
			}
		case reflect.Struct:
			f := to.FieldByNameFunc(func(s string) bool { return lower(s) == name })
			if !f.IsValid() {
				return fmt.Errorf("%s has no member %s", to.Type(), name)
			}
			if err := fill(f, v); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		default:
			return fmt.Errorf("%v is no %s", from, to.Type())
		}
	}
	return nil
}

func fillUnion(to reflect.Value, name string, from any) error {
	for _, m := range members(to.Type()) {
		if m.name == name {
			v := reflect.New(m.is)
			to.Set(v)
			return fill(v.Elem().FieldByIndex(m.field.Index), from)
		}
	}
	return fmt.Errorf("%s has no member %s", to.Type(), name)
}

// plain turns an answer of the client into what encoding/json would read from the
// wire; what is absent there is absent here.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if open, ok := v.Interface().(document.Interface); ok {
			return opened(open)
		}
		return plain(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Map:
		if v.IsNil() {
			return nil
		}
		object := map[string]any{}
		for i := v.MapRange(); i.Next(); {
			object[i.Key().String()] = plain(i.Value())
		}
		return object
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Int32, reflect.Int64:
		return float64(v.Int())
	case reflect.String:
		if v.Type() != reflect.TypeFor[string]() && v.Len() == 0 {
			return nil // an enum that is not there
		}
		return v.String()
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) any {
	if at, ok := v.Interface().(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano)
	}
	object := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !isMember(f) {
			continue
		}
		name := lower(f.Name)
		if _, choice, ok := strings.Cut(v.Type().Name(), "Member"); ok && f.Name == "Value" {
			name = lower(choice)
		}
		if item := plain(v.Field(i)); item != nil {
			object[name] = item
		}
	}
	return object
}

// opened is what a document holds.
func opened(d document.Interface) any {
	var v any
	if d.UnmarshalSmithyDocument(&v) != nil {
		return nil
	}
	return v
}
