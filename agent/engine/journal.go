package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// journal keeps one file for each task. It holds the task's credentials, so only
// root reads it.
type journal struct{ dir string }

func (j journal) path(taskID string) string { return filepath.Join(j.dir, taskID+".json") }

// save replaces the task's file unless it holds just that already, as before says,
// and returns what it holds. A durable save outlives a power failure, any other
// the engine: what runs does not outlive a power failure either.
func (j journal) save(r *record, before []byte, durable bool) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil || bytes.Equal(data, before) {
		return data, err
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, err
	}
	return data, replace(j.path(r.Local.Order.ID), data, durable)
}

func replace(path string, data []byte, durable bool) error {
	fresh, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fresh.Write(data)
	if durable && err == nil {
		err = fresh.Sync()
	}
	if err = errors.Join(err, fresh.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (j journal) remove(taskID string) error {
	err := os.Remove(j.path(taskID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// load reads all tasks.
func (j journal) load() ([]*record, error) {
	files, err := filepath.Glob(filepath.Join(j.dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var out []*record
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		r := new(record)
		if err := json.Unmarshal(data, r); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if r.Local.Order == nil || len(r.Containers) != len(r.Local.Containers) {
			return nil, fmt.Errorf("%s is not the journal of a task", f)
		}
		out = append(out, r)
	}
	return out, nil
}
