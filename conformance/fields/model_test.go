package fields_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// operation is one of the client's: the types of its request and answer.
type operation struct {
	name    string
	in, out reflect.Type
}

// operations are those of the client, which is the newest model there is.
func operations() []operation {
	var all []operation
	client := reflect.TypeFor[*ecs.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		t := m.Type
		if t.NumIn() == 4 && t.In(1) == reflect.TypeFor[context.Context]() && t.NumOut() == 2 {
			all = append(all, operation{m.Name, t.In(2).Elem(), t.Out(0).Elem()})
		}
	}
	return all
}

// leaves are the paths of a type's members that hold values, such as
// tags[].key, command[] and options{}.
func leaves(t reflect.Type) []string {
	var all []string
	walk(t, "", nil, func(path string) { all = append(all, path) })
	slices.Sort(all)
	return all
}

func walk(t reflect.Type, path string, within []reflect.Type, leaf func(string)) {
	switch {
	case t.Kind() == reflect.Pointer:
		walk(t.Elem(), path, within, leaf)
	case t.Kind() == reflect.Slice:
		walk(t.Elem(), path+"[]", within, leaf)
	case t.Kind() == reflect.Map:
		walk(t.Elem(), path+"{}", within, leaf)
	case len(members(t)) > 0:
		for _, m := range members(t) {
			walk(m.field.Type, join(path, m.name), within, leaf)
		}
	case t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]():
		leaf(path)
	case !slices.Contains(within, t):
		for i := range t.NumField() {
			if f := t.Field(i); isMember(f) {
				walk(f.Type, join(path, lower(f.Name)), append(within, t), leaf)
			}
		}
	}
}

func isMember(f reflect.StructField) bool { return f.IsExported() && f.Name != "ResultMetadata" }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// lower is a member's name on the wire.
func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }
