package identity_test

import (
	"path/filepath"
	"testing"
)

// ownBerth is a berth of the test's own, with the images in it.
func ownBerth(t *testing.T, flags ...string) *berth {
	t.Helper()
	b, err := startBerth(filepath.Join(t.TempDir(), "data"), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.End(); err != nil {
			t.Error(err)
		}
	})
	if err := b.load(); err != nil {
		t.Fatal(err)
	}
	return b
}
