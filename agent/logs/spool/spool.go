// Package spool is where the output of containers waits on the host's disk,
// between the logger process that records it and the agent that ships it. It is
// all the two share: either may die at any moment and start again.
//
//	ROOT/lock              held by the logger while it lives
//	ROOT/agent             held by the agent
//	ROOT/ID/               one container, renamed into place when it is whole
//	    stdout stderr      FIFOs; the container's shim writes, the logger reads
//	    terms.json         how much may wait and what happens beyond
//	    order.json         what the agent needs to ship it, its own affair
//	    stdout.tape/       what came out, as it came; see Tape
//	    stderr.tape/
//	    done               by the logger: all is on the tapes
//	ROOT/ID.over           by the agent: the container is over, nobody writes more
//
// Bytes move from a FIFO to a tape inside the kernel (splice), in one step that a
// kill cannot divide: a logger killed with SIGKILL loses no byte and doubles none.
// While it is away the FIFOs hold a mebibyte each, and then writers wait.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Streams are the outputs of a container.
func Streams() []string { return []string{"stdout", "stderr"} }

// Terms say how much output may wait to be shipped.
type Terms struct {
	// Limit is in bytes, for each stream.
	Limit int64 `json:"limit"`
	// Blocking makes the container wait when the limit is reached. Otherwise what
	// it writes then is dropped and counted.
	Blocking bool `json:"blocking"`
}

// Root is a spool directory.
type Root string

// Container is a container's place in a spool.
type Container struct {
	root Root
	ID   string
}

const (
	overSuffix  = ".over"
	draftPrefix = ".draft-"
)

// Container names a container's place; it may not exist.
func (r Root) Container(id string) Container { return Container{root: r, ID: id} }

// Make prepares a container's place. What was there under this id is an error.
// order is kept for ReadOrder.
func (r Root) Make(id string, terms Terms, order any) (Container, error) {
	c := r.Container(id)
	if !validID(id) {
		return c, fmt.Errorf("%q cannot name a container's logs", id)
	}
	if c.Exists() {
		return c, fmt.Errorf("the logs of container %s: %w", id, fs.ErrExist)
	}
	draft := filepath.Join(string(r), draftPrefix+id)
	if err := os.RemoveAll(draft); err != nil {
		return c, err
	}
	err := errors.Join(os.Mkdir(draft, 0o700), writeJSON(filepath.Join(draft, "terms.json"), terms), writeJSON(filepath.Join(draft, "order.json"), order))
	for _, s := range Streams() {
		err = errors.Join(err, unix.Mkfifo(filepath.Join(draft, s), 0o600), os.Mkdir(filepath.Join(draft, s+tapeSuffix), 0o700))
	}
	if err == nil { // an end that was said of an earlier place is not this one's
		err = removeIfThere(c.Dir() + overSuffix)
	}
	if err == nil {
		err = os.Rename(draft, c.Dir())
	}
	if err != nil {
		return c, errors.Join(fmt.Errorf("prepare the logs of container %s: %w", id, err), os.RemoveAll(draft))
	}
	return c, nil
}

func validID(id string) bool {
	return id != "" && !strings.HasPrefix(id, ".") && !strings.ContainsAny(id, "/\x00") && !strings.HasSuffix(id, overSuffix) && id != lockName && id != agentName
}

// Containers lists the containers of the spool.
func (r Root) Containers() (list []Container, err error) {
	entries, err := os.ReadDir(string(r))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() && validID(e.Name()) {
			list = append(list, r.Container(e.Name()))
		}
	}
	return list, nil
}

// Named finds the container an entry of the root directory belongs to; ok is false
// for other entries.
func (r Root) Named(entry string) (c Container, ok bool) {
	id := strings.TrimSuffix(entry, overSuffix)
	return r.Container(id), validID(id)
}

// Dir is the container's directory.
func (c Container) Dir() string { return filepath.Join(string(c.root), c.ID) }

// Hold keeps the FIFOs open, so that what is in them outlasts a shim that ends
// while the logger is being started again. The agent holds them until Done.
func (c Container) Hold() (release func() error, err error) {
	var held []*os.File
	release = func() (err error) {
		for _, f := range held {
			err = errors.Join(err, f.Close())
		}
		return err
	}
	for _, s := range Streams() {
		f, err := os.OpenFile(c.FIFO(s), os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, errors.Join(err, release())
		}
		held = append(held, f)
	}
	return release, nil
}

// FIFO is the path of a stream's FIFO.
func (c Container) FIFO(stream string) string { return filepath.Join(c.Dir(), stream) }

// Terms reads the container's terms.
func (c Container) Terms() (t Terms, err error) {
	return t, readJSON(filepath.Join(c.Dir(), "terms.json"), &t)
}

// ReadOrder reads what Make was given as the order.
func (c Container) ReadOrder(order any) error {
	return readJSON(filepath.Join(c.Dir(), "order.json"), order)
}

// Exists tells whether the container has a place.
func (c Container) Exists() bool {
	info, err := os.Stat(c.Dir())
	return err == nil && info.IsDir()
}

// SetOver says that the container is over: its shim is gone and all it wrote is in
// the FIFOs or beyond.
func (c Container) SetOver() error { return touch(c.Dir() + overSuffix) }

// Over tells whether SetOver was called.
func (c Container) Over() bool { return exists(c.Dir() + overSuffix) }

// SetDone says that all output is on the tapes.
func (c Container) SetDone() error { return touch(filepath.Join(c.Dir(), "done")) }

// Done tells whether SetDone was called.
func (c Container) Done() bool { return exists(filepath.Join(c.Dir(), "done")) }

// Remove forgets the container and its output.
func (c Container) Remove() error {
	gone := filepath.Join(string(c.root), draftPrefix+c.ID)
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	// Out of sight in one step: a half-removed place is never read.
	if err := os.Rename(c.Dir(), gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(os.RemoveAll(gone), removeIfThere(c.Dir()+overSuffix))
}

// Sweep removes what an agent left that was killed while it made or freed a place.
// Only the agent may call it, before it makes places.
func (r Root) Sweep() (err error) {
	entries, err := os.ReadDir(string(r))
	for _, e := range entries {
		path := filepath.Join(string(r), e.Name())
		place, over := strings.CutSuffix(path, overSuffix)
		if strings.HasPrefix(e.Name(), draftPrefix) || over && !exists(place) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}

func touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
