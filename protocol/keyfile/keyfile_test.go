package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyIsMadeOnceAndReplacedWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "key")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	text := func(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }
	for _, s := range []string{"first", "second"} {
		if got, err := ReadOrMake(path, text(s)); err != nil || string(got) != "first" {
			t.Errorf("%s: %q, %v", s, got, err)
		}
	}
	if err := Replace(path, []byte("third")); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || string(got) != "third" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v", got, err, info)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
}

// Of several that make a key at once, all have the one that is on disk.
func TestMakersAtOnceAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	got := make(chan string)
	for _, s := range []string{"a", "b", "c", "d"} {
		go func() {
			text, err := ReadOrMake(path, func() ([]byte, error) { return []byte(s), nil })
			if err != nil {
				text = []byte(err.Error())
			}
			got <- string(text)
		}()
	}
	first := <-got
	for range 3 {
		if next := <-got; next != first {
			t.Errorf("%q and %q", first, next)
		}
	}
	if text, err := Read(path); err != nil || string(text) != first {
		t.Errorf("on disk %q, %v; they have %q", text, err, first)
	}
}

func TestAKeyThatOthersMayReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "chmod 600 "+path) {
		t.Errorf("got %v", err)
	}
}
