package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berthhq/berth/agent/logs/spool"
)

func TestSweepLeavesPlacesAlone(t *testing.T) {
	root := spool.Root(t.TempDir())
	c, err := root.Make("kept", spool.Terms{Limit: 1}, "order")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"kept", "gone"} {
		if err := root.Container(id).SetOver(); err != nil {
			t.Fatal(err)
		}
	}
	half := filepath.Join(string(root), ".draft-half")
	if err := os.MkdirAll(filepath.Join(half, "stdout.tape"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := root.Sweep(); err != nil {
		t.Fatal(err)
	}
	if !c.Exists() || !c.Over() {
		t.Error("a place was swept away")
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) || root.Container("gone").Over() {
		t.Errorf("something is left: %v", err)
	}
}
