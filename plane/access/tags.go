package access

import (
	"reflect"
	"slices"
	"strings"

	"github.com/berthhq/berth/domain/workload"
)

// tagsIn are the tags in a decoded request: its member Tags, a list or a map, and
// those of TagSpecifications of EC2.
func tagsIn(in any) []workload.Tag {
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return nil
	}
	tags := readTags(v.FieldByName("Tags"))
	if each := v.FieldByName("TagSpecifications"); each.Kind() == reflect.Slice {
		for i := range each.Len() {
			tags = append(tags, readTags(each.Index(i).FieldByName("Tags"))...)
		}
	}
	return tags
}

// keysIn are the keys of those tags, or those that the request takes away; nil when
// it has none.
func keysIn(in any) []string {
	var keys []string
	for _, t := range tagsIn(in) {
		keys = append(keys, t.Key)
	}
	v := reflect.Indirect(reflect.ValueOf(in))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for _, member := range []string{"TagKeys", "TagKeyList"} {
		if list, ok := stringsOf(v.FieldByName(member)); ok {
			keys = append(keys, list...)
		}
	}
	return keys
}

func stringsOf(v reflect.Value) ([]string, bool) {
	if !v.IsValid() {
		return nil, false
	}
	list, ok := v.Interface().([]string)
	return list, ok
}

func readTags(v reflect.Value) []workload.Tag {
	switch v.Kind() {
	case reflect.Slice:
		return readList(v)
	case reflect.Map:
		return readMap(v)
	}
	return nil
}

func readList(v reflect.Value) []workload.Tag {
	if v.Type().Elem().Kind() != reflect.Struct {
		return nil
	}
	var tags []workload.Tag
	for i := range v.Len() {
		key, ok := textOf(v.Index(i), "Key")
		if !ok {
			key, ok = textOf(v.Index(i), "TagKey") // of KMS
		}
		value, _ := textOf(v.Index(i), "Value")
		if value == "" {
			value, _ = textOf(v.Index(i), "TagValue")
		}
		if ok {
			tags = append(tags, workload.Tag{Key: key, Value: value})
		}
	}
	return tags
}

func textOf(v reflect.Value, field string) (string, bool) {
	f := v.FieldByName(field)
	if !f.IsValid() || f.Kind() == reflect.Pointer && f.IsNil() {
		return "", false
	}
	return reflect.Indirect(f).String(), true
}

func readMap(v reflect.Value) []workload.Tag {
	if v.Type().Elem().Kind() != reflect.String {
		return nil
	}
	var tags []workload.Tag
	for key, value := range v.Seq2() {
		tags = append(tags, workload.Tag{Key: key.String(), Value: value.String()})
	}
	slices.SortFunc(tags, func(a, b workload.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}
