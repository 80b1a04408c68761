package logger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/agent/logs/spool"
)

const (
	// chunk is how much moves in one step.
	chunk = 256 << 10
	// pipeBytes is how much a FIFO holds while the logger is away.
	pipeBytes = 1 << 20
	// retry is how long a blocked stream waits before it looks for room again.
	retry = 20 * time.Millisecond
)

// stream moves one output of a container from its FIFO to its tape.
type stream struct {
	name  string
	terms spool.Terms
	fifo  *os.File
	conn  syscall.RawConn
	tape  *spool.Recorder

	dropping bool
	midLine  bool // what is dropped began, or ended, within a line
	buffer   []byte
}

func openStream(c spool.Container, name string, terms spool.Terms, now func() time.Time) (*stream, error) {
	// Opened for writing too, so that it never ends while the container restarts
	// or its shim has not opened it yet.
	fifo, err := os.OpenFile(c.FIFO(name), os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	s := &stream{name: name, terms: terms, fifo: fifo}
	if s.conn, err = fifo.SyscallConn(); err == nil {
		err = s.conn.Control(func(fd uintptr) {
			// Refused beyond a user's quota of pipe pages; the usual size will do.
			_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeBytes)
		})
	}
	if err == nil {
		s.tape, err = spool.NewRecorder(c.Tape(name), now)
	}
	if err != nil {
		return nil, errors.Join(err, fifo.Close())
	}
	return s, nil
}

func (s *stream) close() error { return errors.Join(s.fifo.Close(), s.tape.Close()) }

// run moves bytes until over is closed and the FIFO is empty, or ctx ends.
func (s *stream) run(ctx context.Context, over <-chan struct{}) error {
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-over:
		case <-ctx.Done():
		case <-stopped:
			return
		}
		// Wakes whoever waits for the FIFO.
		_ = s.fifo.SetReadDeadline(time.Unix(1, 0))
	}()
	for {
		err := s.step(over)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return s.drain(ctx)
		case err != nil:
			return err
		}
	}
}

// step moves a chunk, or drops it, or waits for room.
func (s *stream) step(over <-chan struct{}) error {
	if s.dropping {
		return s.drop(s.await)
	}
	room, err := s.room()
	if err != nil {
		return err
	}
	if room > 0 {
		err = s.await(func(fd int) error {
			_, err := s.tape.Splice(fd, int(min(room, chunk)))
			return err
		})
		if !outOfSpace(err) {
			return err
		}
	}
	if !s.terms.Blocking {
		return s.startDropping()
	}
	select {
	case <-over:
		return os.ErrDeadlineExceeded
	case <-time.After(retry):
		return nil
	}
}

// room is how much the tape may take.
func (s *stream) room() (int64, error) {
	waiting, err := s.tape.Waiting(s.terms.Limit)
	return s.terms.Limit - waiting, err
}

func outOfSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// await calls do with the FIFO when there is something in it.
func (s *stream) await(do func(fd int) error) (err error) {
	failure := s.conn.Read(func(fd uintptr) bool {
		err = again(func() error { return do(int(fd)) })
		return !errors.Is(err, unix.EAGAIN)
	})
	if failure != nil {
		return failure
	}
	return err
}

// now calls do with the FIFO as it is. EAGAIN means it is empty.
func (s *stream) now(do func(fd int) error) (err error) {
	failure := s.conn.Control(func(fd uintptr) { err = again(func() error { return do(int(fd)) }) })
	return errors.Join(failure, err)
}

// again repeats what a signal interrupted.
func again(do func() error) error {
	for {
		if err := do(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// startDropping ends a line that is cut in the middle: the rest of it is lost.
func (s *stream) startDropping() (err error) {
	if s.midLine, err = s.tape.MidLine(); err != nil {
		return err
	}
	if s.midLine {
		if _, err := s.tape.Write([]byte{'\n'}); err != nil && !outOfSpace(err) {
			return err
		}
	}
	s.dropping = true
	return nil
}

// drop reads a chunk and counts it as lost, or goes back to recording at the next
// line when an eighth of the limit is free again.
func (s *stream) drop(when func(func(fd int) error) error) error {
	if s.buffer == nil {
		s.buffer = make([]byte, chunk)
	}
	n := 0
	err := when(func(fd int) (err error) {
		n, err = unix.Read(fd, s.buffer)
		return err
	})
	if err != nil || n <= 0 {
		return err
	}
	got := s.buffer[:n]
	room, err := s.room()
	if err != nil {
		return err
	}
	if room < max(s.terms.Limit/8, 1) {
		return s.lose(got)
	}
	return s.resume(got)
}

func (s *stream) lose(got []byte) error {
	s.midLine = got[len(got)-1] != '\n'
	return s.tape.Lose(int64(bytes.Count(got, []byte{'\n'})), int64(len(got)))
}

// resume records what follows the line that is being lost.
func (s *stream) resume(got []byte) error {
	if s.midLine {
		end := bytes.IndexByte(got, '\n')
		if end < 0 {
			return s.lose(got)
		}
		if err := s.lose(got[:end+1]); err != nil {
			return err
		}
		got = got[end+1:]
	}
	if len(got) > 0 {
		if _, err := s.tape.Write(got); outOfSpace(err) {
			return s.lose(got)
		} else if err != nil {
			return err
		}
	}
	s.dropping, s.buffer = false, nil
	return nil
}

// drain moves what is left in the FIFO, whatever the limit. Without space on the
// disk a blocking stream waits for it and another loses the rest.
func (s *stream) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		var err error
		if s.dropping {
			err = s.drop(s.now)
		} else {
			err = s.now(func(fd int) error {
				_, err := s.tape.Splice(fd, chunk)
				return err
			})
		}
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case outOfSpace(err) && s.terms.Blocking:
			select {
			case <-time.After(retry):
			case <-ctx.Done():
			}
		case outOfSpace(err):
			err = s.startDropping()
		}
		if err != nil && !outOfSpace(err) {
			return fmt.Errorf("drain %s: %w", s.fifo.Name(), err)
		}
	}
	return nil
}
