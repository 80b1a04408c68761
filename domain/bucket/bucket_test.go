package bucket

import (
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"models": true, "a.b-c": true, "abc": true, strings.Repeat("a", 63): true,
		"ab": false, "Models": false, "a..b": false, "-ab": false, "ab-": false, "10.0.0.1": false, "a_b": false,
		"xn--abc": false, "abc-s3alias": false, strings.Repeat("a", 64): false, "": false, "a/b": false, ".sgwtmp": false, "abc\n": false,
	} {
		if ValidName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestKeys(t *testing.T) {
	for key, want := range map[string]bool{
		"a": true, "a/b": true, "a/": true, "a b/ü?#%": true, "..a": true, "a/.sgwtmp": true, strings.Repeat("a/", 512): true,
		"": false, "/": false, "/a": false, "a//b": false, "a/./b": false, "../a": false, "a/..": false, ".sgwtmp/x": false, "a\x00": false,
		strings.Repeat("a/", 513): false, strings.Repeat("a", 256): false,
	} {
		if ValidKey(key) != want {
			t.Errorf("%q: %v", key, !want)
		}
	}
}

// TestAKeyMeansOnlyItself: no two keys are one file, and none is outside.
func TestAKeyMeansOnlyItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[./a]{1,12}`).Draw(t, "key")
		if ValidKey(key) && path.Clean("/"+key) != strings.TrimSuffix("/"+key, "/") {
			t.Fatalf("%q is the file %q", key, path.Clean("/"+key))
		}
	})
}

func TestARNs(t *testing.T) {
	for text, want := range map[string]string{
		ARN("us-east-1", "b", ""): "b", ARN("us-east-1", "b", "k/l"): "b", "arn:aws:iam::1:role/x": "", "*": "",
	} {
		if got := OfARN(text); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
