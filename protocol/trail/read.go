package trail

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Files are those of an audit, oldest first: those that were rotated, whose names
// have a time in them, then the current one.
func Files(current string) ([]string, error) {
	base := strings.TrimSuffix(current, filepath.Ext(current))
	files, err := filepath.Glob(base + "-*" + filepath.Ext(current))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	_, err = os.Stat(current)
	switch {
	case err == nil:
		files = append(files, current)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return files, nil
}

// Read yields the records of a file. What is no record is passed over: a file may
// begin or end with half of one.
func Read(file string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		f, err := os.Open(file)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		_, err = records(bufio.NewReader(f), nil, func(r *Record) bool { return yield(r, nil) })
		if err != nil && err != errEnough {
			yield(nil, err)
		}
	}
}

var errEnough = errors.New("no more is wanted")

// records reads whole lines. What follows the last of them is returned, to be gone
// on with.
func records(from *bufio.Reader, begun []byte, each func(*Record) bool) (rest []byte, err error) {
	for {
		part, err := from.ReadBytes('\n')
		begun = append(begun, part...)
		if err == io.EOF {
			return begun, nil
		}
		if err != nil {
			return begun, err
		}
		r := &Record{}
		if json.Unmarshal(begun, r) == nil && r.EventName != "" && !each(r) {
			return nil, errEnough
		}
		begun = nil
	}
}

// Tail is an audit's current file that is read as it grows, from its beginning, and
// the files that take its place.
type Tail struct {
	path   string
	file   *os.File
	reader *bufio.Reader
	begun  []byte // of a line
}

// Open begins to read.
func Open(file string) (*Tail, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	return &Tail{path: file, file: f, reader: bufio.NewReader(f)}, nil
}

// Close ends it.
func (t *Tail) Close() error { return t.file.Close() }

// Take calls with what was written since the last time.
func (t *Tail) Take(each func(*Record) error) (err error) {
	for {
		var failed error
		t.begun, err = records(t.reader, t.begun, func(r *Record) bool { failed = each(r); return failed == nil })
		if failed != nil || err != nil {
			return errors.Join(failed, err)
		}
		replaced, err := t.replaced()
		if err != nil || !replaced {
			return err
		}
	}
}

func (t *Tail) replaced() (bool, error) {
	now, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // between two files
	}
	if err != nil {
		return false, err
	}
	have, err := t.file.Stat()
	if err != nil || os.SameFile(now, have) {
		return false, err
	}
	next, err := os.Open(t.path)
	if err != nil {
		return false, fmt.Errorf("the next file of the audit: %w", err)
	}
	err = t.file.Close()
	t.file, t.reader, t.begun = next, bufio.NewReader(next), nil
	return true, err
}

// Filter is what somebody asks of an audit. Empty members ask for nothing.
type Filter struct {
	Since     time.Time
	Principal string // ARN, or its last part: a user's, role's or session's name
	Action    string // "ecs:RunTask", or the operation's name alone; in any case
	Denied    bool   // only what was refused
}

// Wants tells whether a record is asked for.
func (f *Filter) Wants(r *Record) bool {
	return !r.EventTime.Before(f.Since) && (!f.Denied || r.Denied()) && f.wantsAction(r) && f.wantsPrincipal(&r.UserIdentity)
}

func (f *Filter) wantsAction(r *Record) bool {
	if f.Action == "" || strings.EqualFold(f.Action, r.EventName) {
		return true
	}
	return slices.ContainsFunc(r.Additional.Needed, func(needed string) bool { return strings.EqualFold(needed, f.Action) })
}

func (f *Filter) wantsPrincipal(id *Identity) bool {
	if f.Principal == "" || f.Principal == id.ARN || f.Principal == id.UserName || f.Principal == id.AccessKeyID {
		return true
	}
	if s := id.SessionContext; s != nil && s.SessionIssuer != nil && (f.Principal == s.SessionIssuer.ARN || f.Principal == s.SessionIssuer.UserName) {
		return true
	}
	return strings.HasSuffix(id.ARN, "/"+f.Principal) || strings.HasSuffix(id.ARN, ":"+f.Principal)
}
