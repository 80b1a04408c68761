package spool

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Watch tells of changes in directories, by inotify. Signals are hints: several
// changes may give one, and whoever gets one looks for himself.
type Watch struct {
	fd   int // of file, whose own Fd would make it blocking
	file *os.File

	mu     sync.Mutex
	byID   map[int32][]*Watched
	closed bool
}

// Watched is a directory that is watched.
type Watched struct {
	// Changed has a value when something changed since it was last empty.
	Changed chan struct{}
	watch   *Watch
	id      int32
}

// NewWatch begins to watch nothing yet.
func NewWatch() (*Watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch the log spool: %w", err)
	}
	w := &Watch{fd: fd, file: os.NewFile(uintptr(fd), "inotify"), byID: map[int32][]*Watched{}}
	go w.read()
	return w, nil
}

// Add watches a directory for files made, renamed into it, or written.
func (w *Watch) Add(dir string) (*Watched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, os.ErrClosed
	}
	id, err := unix.InotifyAddWatch(w.fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_MODIFY|unix.IN_ONLYDIR)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	d := &Watched{Changed: make(chan struct{}, 1), watch: w, id: int32(id)}
	w.byID[d.id] = append(w.byID[d.id], d)
	return d, nil
}

// Close ends the watching of the directory.
func (d *Watched) Close() {
	d.watch.mu.Lock()
	defer d.watch.mu.Unlock()
	others := slices.DeleteFunc(d.watch.byID[d.id], func(o *Watched) bool { return o == d })
	if len(others) > 0 || d.watch.closed {
		d.watch.byID[d.id] = others
		return
	}
	delete(d.watch.byID, d.id)
	// It fails when the directory is gone, and its watch with it.
	_, _ = unix.InotifyRmWatch(d.watch.fd, uint32(d.id))
}

// Close ends the watch.
func (w *Watch) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.file.Close()
}

func (w *Watch) read() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buffer)
		if err != nil {
			return
		}
		w.signal(buffer[:n])
	}
}

func (w *Watch) signal(events []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(events) >= unix.SizeofInotifyEvent {
		id := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		length := binary.NativeEndian.Uint32(events[12:])
		events = events[unix.SizeofInotifyEvent+int(length):]
		if mask&unix.IN_Q_OVERFLOW != 0 {
			for _, list := range w.byID {
				poke(list)
			}
		}
		poke(w.byID[id])
	}
}

func poke(list []*Watched) {
	for _, d := range list {
		select {
		case d.Changed <- struct{}{}:
		default:
		}
	}
}
