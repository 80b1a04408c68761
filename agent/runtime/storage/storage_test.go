package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthhq/berth/agent/runtime/storage"
)

// An agent that is killed between naming a snapshot's folder and writing it down
// leaves the folder that the next snapshot gets.
func TestAFolderThatNobodyKnowsIsNotInTheWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("overlays need root: run the tests as root")
	}
	folder := t.TempDir()
	s, err := storage.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, s.Snapshotter, "snapshots", "1", "fs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err = storage.Open(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	_, err = s.Snapshots.Prepare(storage.Context(t.Context()), "fresh", "")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}
