package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Tape is one stream's output on disk: every byte by its offset since the start of
// the container, with the times at which bytes came. One Recorder writes it and
// one Reader reads it, from processes of their own.
//
//	0000000000000000.raw   bytes from this offset on
//	0000000000000000.at    their times: (offset after the byte, milliseconds) pairs
//	0000000000100000.raw   the next segment
//	read                   offset up to which the reader is done
//	lost                   lines and bytes the recorder dropped
//
// Bytes count once a time is noted for them. The reader removes segments it is
// done with, never the last.
type Tape string

const (
	tapeSuffix   = ".tape"
	rawSuffix    = ".raw"
	timesSuffix  = ".at"
	segmentBytes = 1 << 20
)

// Tape is the tape of a stream.
func (c Container) Tape(stream string) Tape {
	return Tape(filepath.Join(c.Dir(), stream+tapeSuffix))
}

// Mark says that the bytes before Offset, after the mark before it, came at Time.
type Mark struct {
	Offset int64
	Time   int64 // milliseconds since 1970
}

const markBytes = 16

func (m Mark) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(m.Offset))
	return binary.LittleEndian.AppendUint64(b, uint64(m.Time))
}

func decodeMarks(b []byte) (marks []Mark) {
	for ; len(b) >= markBytes; b = b[markBytes:] {
		marks = append(marks, Mark{
			Offset: int64(binary.LittleEndian.Uint64(b)),
			Time:   int64(binary.LittleEndian.Uint64(b[8:])),
		})
	}
	return marks
}

// segments lists the offsets at which segments begin.
func (t Tape) segments() (starts []int64, err error) {
	entries, err := os.ReadDir(string(t))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), rawSuffix)
		if !ok {
			continue
		}
		start, err := strconv.ParseInt(name, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("%s does not belong on a tape", e.Name())
		}
		starts = append(starts, start)
	}
	slices.Sort(starts)
	return starts, nil
}

func (t Tape) path(start int64, suffix string) string {
	return filepath.Join(string(t), fmt.Sprintf("%016x%s", start, suffix))
}

// readUp is the offset the reader is done with; 0 when it never said.
func (t Tape) readUp() (int64, error) {
	b, err := os.ReadFile(filepath.Join(string(t), "read"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) < 8 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

// Lost counts what did not get on a tape.
type Lost struct {
	Lines int64
	Bytes int64
}

// Lost reads what the recorder dropped.
func (t Tape) Lost() (Lost, error) {
	b, err := os.ReadFile(filepath.Join(string(t), "lost"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) < markBytes {
		return Lost{}, nil
	}
	if err != nil {
		return Lost{}, err
	}
	return Lost{Lines: int64(binary.LittleEndian.Uint64(b)), Bytes: int64(binary.LittleEndian.Uint64(b[8:]))}, nil
}

// overwrite replaces a small file's content in one write.
func overwrite(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	return errors.Join(err, f.Close())
}
