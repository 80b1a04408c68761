package authmsg

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMessagesComeBack(t *testing.T) {
	s, err := New(bytes.Repeat([]byte{7}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		sealed := s.Seal(message)
		got, err := s.Open(sealed)
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%q became %q, %v", message, got, err)
		}
		if again := s.Seal(message); again == sealed {
			t.Fatal("sealed twice alike")
		}
		bad := []byte(sealed)
		bad[rapid.IntRange(0, len(bad)-2).Draw(t, "place")] ^= 1
		if _, err := s.Open(string(bad)); err == nil {
			t.Fatal("a changed message opens")
		}
	})
}

func TestKeysAreKeptAndNobodyElseReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	first, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(first.Seal([]byte(`{"allowed":false}`))); err != nil || string(got) != `{"allowed":false}` {
		t.Errorf("%s, %v", got, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	other, _ := New(make([]byte, KeySize))
	for _, text := range []string{"", "x", "!!!", first.Seal(nil), strings.Repeat("A", 500)} {
		if _, err := other.Open(text); err == nil {
			t.Errorf("%q opens", text)
		}
	}
	if _, err := New([]byte("short")); err == nil {
		t.Error("a short key works")
	}
}

func TestLongMessagesFitAnAnswer(t *testing.T) {
	s, _ := New(make([]byte, KeySize))
	if n := len(s.Seal([]byte(strings.Repeat(`{"key":"aws:RequestedRegion","values":["eu-central-1"]},`, 200)))); n > 10240 {
		t.Errorf("%d characters; STS takes 10240", n)
	}
}
