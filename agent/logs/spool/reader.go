package spool

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
)

// Reader reads a tape from where its reader was last done. It is not safe for
// concurrent use.
type Reader struct {
	tape  Tape
	done  int64 // noted in the file read
	at    int64 // next byte to read
	start int64 // of the open segment
	raw   *os.File
	times *os.File
	marks []Mark
}

// NewReader opens a tape for reading.
func NewReader(t Tape) (*Reader, error) {
	done, err := t.readUp()
	if err != nil {
		return nil, err
	}
	return &Reader{tape: t, done: done, at: done}, nil
}

// At is the offset of the next byte Read returns.
func (r *Reader) At() int64 { return r.at }

// Read appends to b up to about limit bytes that came after the last Read, and
// tells how many. 0 means that nothing more is there yet.
func (r *Reader) Read(b []byte, limit int) ([]byte, int, error) {
	for {
		if r.raw == nil {
			if opened, err := r.open(); !opened || err != nil {
				return b, 0, err
			}
		}
		end, err := r.loadMarks()
		if err != nil {
			return b, 0, err
		}
		if n := min(end-r.at, int64(limit)); n > 0 {
			b = slices.Grow(b, int(n))
			part := b[len(b) : len(b)+int(n)]
			if _, err := r.raw.ReadAt(part, r.at-r.start); err != nil {
				return b, 0, err
			}
			r.at += n
			return b[:len(b)+int(n)], int(n), nil
		}
		// This segment is read. If the next is there, no more will come here.
		if _, err := os.Stat(r.tape.path(r.at, rawSuffix)); r.at == r.start || errors.Is(err, fs.ErrNotExist) {
			return b, 0, nil
		} else if err != nil {
			return b, 0, err
		}
		if err := r.closeSegment(); err != nil {
			return b, 0, err
		}
	}
}

// open opens the segment that holds the next byte.
func (r *Reader) open() (bool, error) {
	starts, err := r.tape.segments()
	if err != nil {
		return false, err
	}
	i := sort.Search(len(starts), func(i int) bool { return starts[i] > r.at }) - 1
	if i < 0 {
		return false, nil
	}
	times, err := os.Open(r.tape.path(starts[i], timesSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the recorder is about to make it
	}
	if err != nil {
		return false, err
	}
	raw, err := os.Open(r.tape.path(starts[i], rawSuffix))
	if err != nil {
		return false, errors.Join(err, times.Close())
	}
	r.start, r.raw, r.times, r.marks = starts[i], raw, times, nil
	return true, nil
}

// loadMarks reads new marks and returns the offset up to which bytes count. The
// last mark is read again: it may have grown.
func (r *Reader) loadMarks() (end int64, err error) {
	known := max(0, len(r.marks)-1)
	fresh, err := io.ReadAll(io.NewSectionReader(r.times, int64(known*markBytes), 1<<62))
	if err != nil {
		return 0, err
	}
	r.marks = append(r.marks[:known], decodeMarks(fresh)...)
	if len(r.marks) == 0 {
		return r.start, nil
	}
	return r.marks[len(r.marks)-1].Offset, nil
}

// TimeOf is when the byte before offset came; offset lies in what the last Read
// returned.
func (r *Reader) TimeOf(offset int64) int64 {
	i := sort.Search(len(r.marks), func(i int) bool { return r.marks[i].Offset >= offset })
	if i == len(r.marks) {
		return 0
	}
	return r.marks[i].Time
}

// SeekTo goes on reading at offset.
func (r *Reader) SeekTo(offset int64) error {
	r.at = offset
	return r.closeSegment()
}

// Done notes that everything before offset is dealt with: it is not read again
// after a restart, makes room for the recorder, and its segments are removed.
func (r *Reader) Done(offset int64) error {
	if offset <= r.done {
		return nil
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(offset))
	if err := overwrite(filepath.Join(string(r.tape), "read"), b); err != nil {
		return err
	}
	before := r.done / segmentBytes
	r.done = offset
	if offset/segmentBytes == before {
		return nil
	}
	return r.removeDone()
}

// removeDone removes the segments that end before done.
func (r *Reader) removeDone() error {
	starts, err := r.tape.segments()
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(starts) && starts[i+1] <= r.done; i++ {
		err = errors.Join(err, removeIfThere(r.tape.path(starts[i], timesSuffix)), removeIfThere(r.tape.path(starts[i], rawSuffix)))
	}
	return err
}

func (r *Reader) closeSegment() error {
	if r.raw == nil {
		return nil
	}
	err := errors.Join(r.raw.Close(), r.times.Close())
	r.raw, r.times = nil, nil
	return err
}

// Close closes the tape's files.
func (r *Reader) Close() error { return r.closeSegment() }
