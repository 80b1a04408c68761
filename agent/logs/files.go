package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berthhq/berth/agent/logs/lines"
)

// FilePath is where the json-file driver puts a container's output; older parts
// have .1, .2 and so on after it.
func FilePath(dir, taskID, container string) string {
	return filepath.Join(dir, taskID, container+".log")
}

// files are the open files by path. Attempts at one container follow each other in
// one file, and the end of one may overlap the start of the next.
type files struct {
	mu     sync.Mutex
	byPath map[string]*file
}

func newFiles() *files { return &files{byPath: map[string]*file{}} }

// open returns the producer's way into its file.
func (fs *files) open(dir string, order Order, options jsonFile) (*fileSink, error) {
	path := FilePath(dir, order.TaskID, order.Container)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.byPath[path]
	if f == nil {
		var err error
		if f, err = openFile(path, options); err != nil {
			return nil, err
		}
		fs.byPath[path] = f
	}
	f.users++
	return &fileSink{file: f, producer: order.Producer}, nil
}

func (fs *files) close(s *fileSink) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if s.file.users--; s.file.users == 0 {
		delete(fs.byPath, s.file.path)
		_ = s.file.data.Close() // all of it was written before
	}
}

// fileSink is one producer's way into a file.
type fileSink struct {
	file     *file
	producer string
}

func (s *fileSink) send(_ context.Context, stream string, b *lines.Batch) error {
	return s.file.add(s.producer+"-"+stream, stream, b)
}

// file is a json-file output. After each batch it notes how long the file is and
// how far each producer has come; what a kill left beyond that length is cut off
// and written again, so that nothing is there twice.
type file struct {
	path    string
	options jsonFile
	users   int // guarded by files

	mu    sync.Mutex
	data  *os.File
	state fileState
}

type fileState struct {
	Size    int64            `json:"size"`
	Through map[string]int64 `json:"through"`
}

func openFile(path string, options jsonFile) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f := &file{path: path, options: options, state: fileState{Through: map[string]int64{}}}
	text, err := os.ReadFile(f.statePath())
	if err == nil {
		err = json.Unmarshal(text, &f.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", f.statePath(), err)
	}
	if f.data, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	info, err := f.data.Stat()
	if err != nil {
		return nil, errors.Join(err, f.data.Close())
	}
	if info.Size() < f.state.Size {
		f.state.Size = info.Size() // turned, and killed before that was noted
	}
	if err := f.data.Truncate(f.state.Size); err != nil {
		return nil, errors.Join(err, f.data.Close())
	}
	return f, nil
}

func (f *file) statePath() string { return f.path + ".state" }

// entry is a line as Docker's json-file driver writes it.
type entry struct {
	Log    string `json:"log"`
	Stream string `json:"stream"`
	Time   string `json:"time"`
}

func (f *file) add(producer, stream string, b *lines.Batch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if through := f.state.Through[producer]; through >= b.Through {
		return nil
	} else if through > b.From {
		return &already{offset: through}
	}
	if f.state.Size >= f.options.maxSize {
		if err := f.turn(); err != nil {
			return err
		}
	}
	var text []byte
	for _, e := range b.Events {
		line, err := json.Marshal(entry{Log: e.Text + "\n", Stream: stream, Time: time.UnixMilli(e.Time).UTC().Format(time.RFC3339Nano)})
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	if _, err := f.data.WriteAt(text, f.state.Size); err != nil {
		return errors.Join(err, f.data.Truncate(f.state.Size))
	}
	f.state.Size += int64(len(text))
	f.state.Through[producer] = b.Through
	return f.note()
}

// note writes the state in one step.
func (f *file) note() error {
	text, err := json.Marshal(f.state)
	if err != nil {
		return err
	}
	draft := f.statePath() + ".new"
	if err := os.WriteFile(draft, text, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, f.statePath())
}

// turn moves each part one further and begins an empty file.
func (f *file) turn() error {
	part := func(n int) string {
		if n == 0 {
			return f.path
		}
		return fmt.Sprintf("%s.%d", f.path, n)
	}
	for n := f.options.maxFiles - 1; n > 0; n-- {
		if err := os.Rename(part(n-1), part(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	fresh, err := os.OpenFile(f.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = f.data.Close()
	f.data, f.state.Size = fresh, 0
	return errors.Join(err, f.note())
}
