package gateway

import (
	"log/slog"
	"reflect"
	"strings"
	"time"
)

const (
	hiddenValue = "***"
	mostItems   = 20  // of a list or map in an audit line
	mostText    = 256 // bytes of a string
)

// unlogged are members that the models do not mark as secret, but whose content
// belongs to the caller's users, or is no use in a log: "Struct.Member".
func unlogged(member string) bool {
	switch member {
	case "InputLogEvent.Message", "PutLogEventsRequest.LogEvents",
		"UploadLayerPartRequest.LayerPartBlob",
		"GetAccessKeyInfoRequest.AccessKeyId",
		"PutImageRequest.ImageManifest",
		"AuthorizationData.AuthorizationToken", // of ECR: a password for docker login
		"Credentials.SessionToken",
		"DecryptRequest.CiphertextBlob",
		"ReEncryptRequest.CiphertextBlob",
		"LogConfiguration.Options": // splunk-token and its like
		return true
	}
	return false
}

// Redacted is a request or response struct of aws/shape as it may be logged:
// nested maps and lists with names as on the wire, secrets hidden, long lists and
// texts cut.
func Redacted(v any) slog.LogValuer { return redacted{v} }

type redacted struct{ value any }

// LogValue is called only when the line is written.
func (r redacted) LogValue() slog.Value { return slog.AnyValue(plain(reflect.ValueOf(r.value))) }

// plain turns v into maps, lists and scalars.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[time.Time](v); ok {
			return at.UTC().Format(time.RFC3339)
		}
		return plainStruct(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return cut(string(v.Bytes()))
		}
		return plainList(v)
	case reflect.Map:
		return plainMap(v)
	case reflect.String:
		return cut(v.String())
	case reflect.Func, reflect.Chan:
		return nil
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) map[string]any {
	out := map[string]any{}
	t := v.Type()
	for n := range t.NumField() {
		f, fv := t.Field(n), v.Field(n)
		if !f.IsExported() || fv.IsZero() {
			continue
		}
		tag := f.Tag.Get("wire")
		name, words, _ := strings.Cut(tag, ",")
		if name == "" {
			name = f.Name
		}
		if hides(words) || unlogged(t.Name()+"."+f.Name) {
			out[name] = hiddenValue
			continue
		}
		out[name] = plain(fv)
	}
	return out
}

func hides(words string) bool {
	for word := range strings.SplitSeq(words, ",") {
		if word == "secret" {
			return true
		}
	}
	return false
}

func plainList(v reflect.Value) []any {
	out := make([]any, 0, min(v.Len(), mostItems+1))
	for n := range min(v.Len(), mostItems) {
		out = append(out, plain(v.Index(n)))
	}
	if v.Len() > mostItems {
		out = append(out, "...")
	}
	return out
}

func plainMap(v reflect.Value) map[string]any {
	out := map[string]any{}
	for key, value := range v.Seq2() {
		if len(out) == mostItems {
			out["..."] = "..."
			break
		}
		out[key.String()] = plain(value)
	}
	return out
}

func cut(s string) string {
	if len(s) > mostText {
		s = s[:mostText] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
