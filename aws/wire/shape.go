package wire

import (
	"iter"
	"reflect"
	"sync"
	"time"
)

// kind is what the codec does with a value.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt
	kindFloat
	kindTime
	kindBlob
	kindDocument
	kindList
	kindMap
	kindStruct
	kindStream
)

// shape is a Go type as the codec sees it, compiled once.
type shape struct {
	kind   kind
	typ    reflect.Type // never a pointer
	elem   *shape       // of a list, map or stream of events
	key    *shape       // of a map
	fields []field      // of a struct, in order
	byName map[string]*field
	values []string // of an enum; nil when anything goes
	isEnum bool
	body   bool // restJson1: some field lives in the JSON body
}

// field is a member of a struct.
type field struct {
	tag
	index int
	ptr   bool
	shape *shape
}

// absent reports whether a field's value is not there at all.
func (f *field) absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func:
		return v.IsNil()
	case reflect.String: // an enum
		return v.Len() == 0
	}
	return false
}

// value is the field of a struct without its pointer; call it only when present.
func (f *field) value(v reflect.Value) reflect.Value {
	if f.ptr {
		return v.Elem()
	}
	return v
}

// target makes the field of a struct settable: the place its value goes.
func (f *field) target(parent reflect.Value) reflect.Value {
	v := parent.Field(f.index)
	if !f.ptr {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(f.shape.typ))
	}
	return v.Elem()
}

// shapes compiles Go types and keeps them.
type shapes struct {
	ready sync.Map // reflect.Type to *shape
	mu    sync.Mutex
}

// of finds or compiles a type's shape.
func (s *shapes) of(t reflect.Type) *shape {
	if known, ok := s.ready.Load(t); ok {
		return known.(*shape)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := compiler{known: &s.ready, fresh: map[reflect.Type]*shape{}}
	out := c.compile(t)
	for t, sh := range c.fresh {
		s.ready.LoadOrStore(t, sh)
	}
	return out
}

// compiler follows a type to all it is made of; fresh ends recursion.
type compiler struct {
	known *sync.Map
	fresh map[reflect.Type]*shape
}

func (c *compiler) compile(t reflect.Type) *shape {
	if known, ok := c.known.Load(t); ok {
		return known.(*shape)
	}
	if s, ok := c.fresh[t]; ok {
		return s
	}
	s := &shape{typ: t}
	c.fresh[t] = s
	switch {
	case t == reflect.TypeFor[time.Time]():
		s.kind = kindTime
	case t == reflect.TypeFor[Document]():
		s.kind = kindDocument
	case t == reflect.TypeFor[[]byte]():
		s.kind = kindBlob
	default:
		c.compileByKind(s, t)
	}
	return s
}

func (c *compiler) compileByKind(s *shape, t reflect.Type) {
	switch t.Kind() {
	case reflect.String:
		s.kind = kindString
		s.isEnum = t != reflect.TypeFor[string]()
		if e, ok := reflect.TypeAssert[interface{ Values() []string }](reflect.Zero(t)); ok {
			s.values = e.Values()
		}
	case reflect.Bool:
		s.kind = kindBool
	case reflect.Int32, reflect.Int64:
		s.kind = kindInt
	case reflect.Float64:
		s.kind = kindFloat
	case reflect.Slice:
		s.kind, s.elem = kindList, c.compile(t.Elem())
	case reflect.Map:
		s.kind, s.key, s.elem = kindMap, c.compile(t.Key()), c.compile(t.Elem())
	case reflect.Struct:
		s.kind = kindStruct
		c.compileFields(s, t)
	case reflect.Func:
		s.kind, s.elem = kindStream, c.compile(eventType(t))
	default:
		panic("wire: no protocol carries a " + t.String())
	}
}

func (c *compiler) compileFields(s *shape, t reflect.Type) {
	s.fields = make([]field, 0, t.NumField())
	s.byName = make(map[string]*field, t.NumField())
	for i := range t.NumField() {
		sf := t.Field(i)
		f := field{index: i, tag: readTag(sf)}
		ft := sf.Type
		if ft.Kind() == reflect.Pointer {
			f.ptr, ft = true, ft.Elem()
		}
		f.shape = c.compile(ft)
		s.fields = append(s.fields, f)
		s.body = s.body || f.in == inBody
	}
	for i := range s.fields {
		s.byName[s.fields[i].name] = &s.fields[i]
	}
}

// eventType is the struct of a stream's events, from iter.Seq2[*E, error].
func eventType(t reflect.Type) reflect.Type {
	if t.NumIn() != 1 || t.In(0).Kind() != reflect.Func || t.In(0).NumIn() != 2 || t.In(0).In(0).Kind() != reflect.Pointer {
		panic("wire: a stream is an " + reflect.TypeFor[iter.Seq2[*struct{}, error]]().String() + ", not a " + t.String())
	}
	return t.In(0).In(0).Elem()
}
