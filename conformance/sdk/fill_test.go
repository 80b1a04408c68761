package sdk

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/berthhq/berth/aws/wire"
)

// filler makes up values, nested no deeper than it says.
type filler struct {
	*rand.Rand
	deepest int
}

// letters hold what each protocol has to escape.
var letters = []rune("abcXYZ019 -_./:+=&?#%<>\"'\\\t\n{}é\u20ac\U0001f6a2")

func (f filler) text() string {
	n := 1 + f.IntN(12)
	out := make([]rune, n)
	for i := range out {
		out[i] = letters[f.IntN(len(letters))]
	}
	// Spaces at the ends do not survive in XML and paths everywhere.
	return "x" + string(out) + "x"
}

// setAside are members that the client itself reads, and refuses made-up values of.
var setAside = map[string]bool{
	"ResultMetadata": true, // not of the wire
	"EndpointId":     true, // of PutEvents: becomes part of the host name
}

// structure fills about four fifths of a struct's fields, those in must always.
func (f filler) structure(v reflect.Value, depth int, must func(name string) bool) {
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if !sf.IsExported() || setAside[sf.Name] {
			continue
		}
		if f.IntN(5) == 0 && (must == nil || !must(sf.Name)) {
			continue
		}
		f.value(v.Field(i), depth)
	}
}

func (f filler) value(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(f.Int64N(4e12)).UTC()))
		return
	}
	if v.Type() == reflect.TypeFor[wire.Document]() {
		v.SetBytes([]byte(`{"a":[1,"b",null]}`))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if depth < f.deepest || v.Type().Elem().Kind() != reflect.Struct || v.Type().Elem() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.New(v.Type().Elem()))
			f.something(v.Elem(), depth)
		}
	case reflect.Struct:
		if isUnion(v.Type()) {
			v.SetZero()
			f.something(v.Field(f.IntN(v.NumField())), depth+1)
			return
		}
		f.structure(v, depth+1, nil)
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Map:
		f.dictionary(v, depth)
	case reflect.Interface:
		f.union(v, depth)
	case reflect.String:
		f.setString(v)
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.IntN(1<<31)) - 1<<30)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(f.NormFloat64() * 1000)))
	}
}

// something fills v with more than nothing, if it can: a structure without a
// member leaves no trace in a query string.
func (f filler) something(v reflect.Value, depth int) {
	f.value(v, depth)
	for tries := 0; v.Kind() == reflect.Struct && hollow(v) && tries < 9; tries++ {
		f.value(v, depth)
	}
}

// hollow tells structures that hold nothing but structures that hold nothing.
func hollow(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || v.Elem().Kind() == reflect.Struct && hollow(v.Elem())
	case reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return false
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && !hollow(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

func (f filler) setString(v reflect.Value) {
	v.SetString(f.text())
	if v.Type() == reflect.TypeFor[string]() {
		return
	}
	if m := v.MethodByName("Values"); m.IsValid() { // an enum
		if all := m.Call(nil)[0]; all.Len() > 0 {
			v.SetString(all.Index(f.IntN(all.Len())).String())
		}
	}
}

func (f filler) slice(v reflect.Value, depth int) {
	n := 1 + f.IntN(3)
	if elem := v.Type().Elem(); depth >= f.deepest || elem.Kind() == reflect.Interface && len(unionMembers(elem)) == 0 {
		return
	}
	out := reflect.MakeSlice(v.Type(), n, n)
	for i := range n {
		if v.Type().Elem().Kind() == reflect.Uint8 {
			out.Index(i).SetUint(uint64(f.IntN(256)))
			continue
		}
		f.something(out.Index(i), depth+1)
	}
	v.Set(out)
}

// union sets the client's value for a union that may hold one of several members.
func (f filler) union(v reflect.Value, depth int) {
	members := unionMembers(v.Type())
	if len(members) == 0 {
		return
	}
	member := reflect.New(members[f.IntN(len(members))])
	f.something(member.Elem().FieldByName("Value"), depth+1)
	v.Set(member)
}

// memberTypes are the client's types for members of unions. Reflection does not
// find them from the union.
func memberTypes() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[ecstypes.ServiceConnectContainerConfigurationMemberLogLevel](),
		reflect.TypeFor[ecstypes.SharingStrategyMemberNvidiaMps](),
		reflect.TypeFor[cloudwatchtypes.EvaluationCriteriaMemberPromQLCriteria](),
		reflect.TypeFor[cloudwatchtypes.EvaluationWindowMemberSlidingWindow](),
		reflect.TypeFor[cloudwatchtypes.EvaluationWindowMemberWallClockWindow](),
		reflect.TypeFor[iamtypes.PolicyIdentifierMemberPolicyArn](),
		reflect.TypeFor[iamtypes.PolicyIdentifierMemberInlinePolicyIdentifier](),
		reflect.TypeFor[iamtypes.PolicyIdentifierMemberPolicyType](),
	}
}

// unionMembers are the client's types that can be put into one of its unions.
func unionMembers(union reflect.Type) []reflect.Type {
	var out []reflect.Type
	for _, t := range memberTypes() {
		if reflect.PointerTo(t).Implements(union) {
			out = append(out, t)
		}
	}
	return out
}

// isUnion tells structs of ours of which only one member may be set.
func isUnion(ours reflect.Type) bool {
	for _, t := range memberTypes() {
		if union, _, _ := strings.Cut(t.Name(), "Member"); union == ours.Name() {
			return true
		}
	}
	return false
}

func (f filler) dictionary(v reflect.Value, depth int) {
	out := reflect.MakeMap(v.Type())
	for range 1 + f.IntN(3) {
		key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.setString(key)
		f.value(item, depth+1)
		out.SetMapIndex(key, item)
	}
	v.Set(out)
}

// must tells which of an input's fields a request cannot do without: labels of
// the path, and idempotency tokens, which the client would make up.
func must(in reflect.Type) func(string) bool {
	return func(name string) bool {
		sf, ok := in.FieldByName(name)
		if !ok {
			return false
		}
		words := strings.Split(sf.Tag.Get("wire"), ",")[1:]
		for _, w := range words {
			if w == "in=path" || w == "token" {
				return true
			}
		}
		return false
	}
}
