package sdk

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/wire"
)

// compare tells where a value of ours and one of the client's differ; "" when
// they mean the same. The client has no pointer where the model has a default, so
// its zero equals our nil.
func compare(path string, ours, theirs reflect.Value) string {
	if theirs.Kind() == reflect.Interface {
		if theirs.IsNil() && membersSet(ours) != 1 {
			return "" // not a union of one member: the client drops it
		}
		theirs = theirs.Elem()
	}
	ours, theirs = through(ours), through(theirs)
	switch {
	case !ours.IsValid() && !theirs.IsValid():
		return ""
	case !ours.IsValid():
		if theirs.IsZero() {
			return ""
		}
		return fmt.Sprintf("%s: ours absent, theirs %v", path, theirs)
	case !theirs.IsValid():
		if ours.Kind() == reflect.String && ours.Len() == 0 {
			return ""
		}
		return fmt.Sprintf("%s: ours %v, theirs absent", path, ours)
	}
	if t, ok := ours.Interface().(time.Time); ok {
		// The client cuts the decimals of a binary fraction and may lose a millisecond.
		if u := theirs.Interface().(time.Time); u.Sub(t).Abs() > time.Millisecond {
			return fmt.Sprintf("%s: ours %v, theirs %v", path, t, u)
		}
		return ""
	}
	if b, ok := ours.Interface().([]byte); ok {
		if !bytes.Equal(b, theirs.Bytes()) {
			return fmt.Sprintf("%s: ours %x, theirs %x", path, b, theirs)
		}
		return ""
	}
	if _, ok := ours.Interface().(wire.Document); ok {
		return ""
	}
	return compareKinds(path, ours, theirs)
}

// membersSet counts the members of a union that are set.
func membersSet(v reflect.Value) int {
	v, n := through(v), 0
	if v.Kind() != reflect.Struct {
		return 0
	}
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			n++
		}
	}
	return n
}

// through follows a pointer; what is nil becomes invalid.
func through(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		return v.Elem()
	case reflect.Slice, reflect.Map:
		if v.IsNil() {
			return reflect.Value{}
		}
	}
	return v
}

func compareKinds(path string, ours, theirs reflect.Value) string {
	switch ours.Kind() {
	case reflect.Struct:
		return compareStructs(path, ours, theirs)
	case reflect.Slice:
		if ours.Len() != theirs.Len() {
			return fmt.Sprintf("%s: ours has %d items, theirs %d", path, ours.Len(), theirs.Len())
		}
		if s, ok := ours.Interface().([]string); ok && strings.HasSuffix(path, ".TagKeys") {
			slices.Sort(s) // the client's signer sorts what goes into the query
			slices.Sort(theirs.Interface().([]string))
		}
		for i := range ours.Len() {
			if d := compare(fmt.Sprintf("%s[%d]", path, i), ours.Index(i), theirs.Index(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Map:
		return compareMaps(path, ours, theirs)
	case reflect.String:
		if ours.String() != theirs.String() {
			return fmt.Sprintf("%s: ours %q, theirs %q", path, ours.String(), theirs.String())
		}
		return ""
	case reflect.Float64:
		if float32(ours.Float()) != float32(theirs.Float()) {
			return fmt.Sprintf("%s: ours %v, theirs %v", path, ours, theirs)
		}
		return ""
	}
	if fmt.Sprint(ours) != fmt.Sprint(theirs) {
		return fmt.Sprintf("%s: ours %v, theirs %v", path, ours, theirs)
	}
	return ""
}

func compareMaps(path string, ours, theirs reflect.Value) string {
	if ours.Len() != theirs.Len() {
		return fmt.Sprintf("%s: ours has %d entries, theirs %d", path, ours.Len(), theirs.Len())
	}
	for _, k := range theirs.MapKeys() {
		mine := ours.MapIndex(k.Convert(ours.Type().Key()))
		if !mine.IsValid() {
			return fmt.Sprintf("%s: ours lacks %q", path, k.String())
		}
		if d := compare(path+"["+k.String()+"]", mine, theirs.MapIndex(k)); d != "" {
			return d
		}
	}
	return ""
}

func compareStructs(path string, ours, theirs reflect.Value) string {
	if u, ok := unionValue(theirs); ok {
		return compareUnion(path, ours, theirs.Type().Name(), u)
	}
	for i := range theirs.NumField() {
		sf := theirs.Type().Field(i)
		if !sf.IsExported() || sf.Name == "ResultMetadata" {
			continue
		}
		mine := ours.FieldByName(sf.Name)
		if !mine.IsValid() {
			if theirs.Field(i).IsZero() {
				continue
			}
			return fmt.Sprintf("%s.%s: not in our struct", path, sf.Name)
		}
		if d := compare(path+"."+sf.Name, mine, theirs.Field(i)); d != "" {
			return d
		}
	}
	return ""
}

// unionValue is what the client's type for one member of a union holds.
func unionValue(v reflect.Value) (reflect.Value, bool) {
	f := v.FieldByName("Value")
	return f, f.IsValid() && bytes.Contains([]byte(v.Type().Name()), []byte("Member")) && v.NumField() == 2
}

func compareUnion(path string, ours reflect.Value, name string, value reflect.Value) string {
	_, member, _ := bytes.Cut([]byte(name), []byte("Member"))
	mine := ours.FieldByName(string(member))
	if !mine.IsValid() {
		return fmt.Sprintf("%s: our union has no %s", path, member)
	}
	return compare(path+"."+string(member), mine, value)
}
