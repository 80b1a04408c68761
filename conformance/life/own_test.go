package life_test

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
	if err := b.Load(archive); err != nil {
		t.Fatal(err)
	}
	return b
}

// restart ends the berth as an operator does and starts it again.
func (b *berth) restart(t *testing.T, flags ...string) {
	t.Helper()
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.Start(flags...); err != nil {
		t.Fatal(err)
	}
}
