package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Recorder writes a tape. It is not safe for concurrent use.
type Recorder struct {
	tape  Tape
	now   func() time.Time
	start int64 // of the segment that is written
	end   int64 // of the tape
	raw   *os.File
	times *os.File
	marks int64 // in times
	last  Mark  // the last of them
	read  int64 // how far the reader was when last asked
	lost  Lost
}

// NewRecorder goes on where the tape ends. Bytes that a killed recorder left
// without a time get that of their last change.
func NewRecorder(t Tape, now func() time.Time) (*Recorder, error) {
	r := &Recorder{tape: t, now: now}
	starts, err := t.segments()
	if err != nil {
		return nil, err
	}
	if len(starts) > 0 {
		r.start = starts[len(starts)-1]
	}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if r.lost, err = t.Lost(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// open opens the segment at start and finds its end.
func (r *Recorder) open() (err error) {
	if r.raw, err = os.OpenFile(r.tape.path(r.start, rawSuffix), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if r.times, err = os.OpenFile(r.tape.path(r.start, timesSuffix), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	raw, err := r.raw.Stat()
	if err != nil {
		return err
	}
	times, err := os.ReadFile(r.times.Name())
	if err != nil {
		return err
	}
	r.end = r.start + raw.Size()
	r.last.Offset = r.start
	if marks := decodeMarks(times); len(marks) > 0 {
		r.marks, r.last = int64(len(marks)), marks[len(marks)-1]
	}
	if r.last.Offset < r.end {
		return r.mark(raw.ModTime().UnixMilli())
	}
	return nil
}

// backstep is how far behind the last mark a time may be that still means no step
// of the clock: the times of files are those of the kernel's last tick.
const backstep = 1000 // milliseconds

// mark notes the time of the bytes since the last mark. Marks of one millisecond
// are one. Times do not go back, lest lines change places.
func (r *Recorder) mark(at int64) error {
	if r.last.Time-at < backstep {
		at = max(at, r.last.Time)
	}
	m := Mark{Offset: r.end, Time: at}
	if r.marks > 0 && r.last.Time == at {
		r.marks--
	}
	if _, err := r.times.WriteAt(m.encode(), r.marks*markBytes); err != nil {
		return err
	}
	r.marks++
	r.last = m
	return nil
}

// turn begins the next segment when this one is full.
func (r *Recorder) turn() error {
	if r.end-r.start < segmentBytes {
		return nil
	}
	if err := errors.Join(r.raw.Close(), r.times.Close()); err != nil {
		return err
	}
	r.start, r.marks = r.end, 0
	return r.open()
}

// Splice moves up to limit bytes from a FIFO to the tape. It returns
// unix.EAGAIN when the FIFO is empty.
func (r *Recorder) Splice(fifo int, limit int) (int, error) {
	if err := r.turn(); err != nil {
		return 0, err
	}
	at := r.end - r.start
	n, err := unix.Splice(fifo, nil, int(r.raw.Fd()), &at, limit, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
	if err != nil || n == 0 {
		return 0, err
	}
	r.end += n
	return int(n), r.mark(r.now().UnixMilli())
}

// Write puts bytes on the tape. On an error none of them count.
func (r *Recorder) Write(b []byte) (int, error) {
	if err := r.turn(); err != nil {
		return 0, err
	}
	if _, err := r.raw.WriteAt(b, r.end-r.start); err != nil {
		return 0, errors.Join(err, r.raw.Truncate(r.end-r.start))
	}
	r.end += int64(len(b))
	return len(b), r.mark(r.now().UnixMilli())
}

// Waiting is how many bytes the reader is not done with. It asks the disk only
// when they seem to reach limit.
func (r *Recorder) Waiting(limit int64) (int64, error) {
	if r.end-r.read < limit {
		return r.end - r.read, nil
	}
	read, err := r.tape.readUp()
	if err != nil {
		return 0, err
	}
	r.read = read
	return r.end - read, nil
}

// MidLine tells whether the tape ends within a line.
func (r *Recorder) MidLine() (bool, error) {
	if r.end > r.start {
		return midLine(r.raw, r.end-r.start)
	}
	starts, err := r.tape.segments()
	if err != nil || len(starts) < 2 {
		return false, err
	}
	before := starts[len(starts)-2]
	f, err := os.Open(r.tape.path(before, rawSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the reader is done with it
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	return midLine(f, r.end-before)
}

func midLine(f *os.File, size int64) (bool, error) {
	var b [1]byte
	_, err := f.ReadAt(b[:], size-1)
	return b[0] != '\n', err
}

// Lose counts what is dropped instead of recorded.
func (r *Recorder) Lose(lines, bytes int64) error {
	r.lost.Lines += lines
	r.lost.Bytes += bytes
	b := binary.LittleEndian.AppendUint64(nil, uint64(r.lost.Lines))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.lost.Bytes))
	if err := overwrite(filepath.Join(string(r.tape), "lost"), b); err != nil {
		return fmt.Errorf("count lost lines: %w", err)
	}
	return nil
}

// End is the offset after the last byte.
func (r *Recorder) End() int64 { return r.end }

// Close closes the tape's files.
func (r *Recorder) Close() error {
	var err error
	if r.raw != nil {
		err = r.raw.Close()
	}
	if r.times != nil {
		err = errors.Join(err, r.times.Close())
	}
	return err
}
