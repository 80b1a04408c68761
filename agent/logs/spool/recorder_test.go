package spool

import (
	"os"
	"testing"
	"time"
)

// TestTimesDoNotGoBack has a recorder die between bytes and their time: they get the
// file's, which is that of the kernel's last tick and so a little behind.
func TestTimesDoNotGoBack(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change time.Time
		want   time.Time
	}{
		"a tick behind":       {noon.Add(-4 * time.Millisecond), noon},
		"later":               {noon.Add(time.Second), noon.Add(time.Second)},
		"the clock was wrong": {noon.Add(-time.Hour), noon.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			tape := Tape(t.TempDir())
			first, err := NewRecorder(tape, func() time.Time { return noon })
			must(t, err)
			_, err = first.Write([]byte("marked\n"))
			must(t, err)
			_, err = first.raw.WriteAt([]byte("not marked\n"), first.End())
			must(t, err)
			must(t, os.Chtimes(first.raw.Name(), c.change, c.change))
			must(t, first.Close())

			second, err := NewRecorder(tape, time.Now)
			must(t, err)
			defer second.Close()
			r, err := NewReader(tape)
			must(t, err)
			defer r.Close()
			text, _, err := r.Read(nil, 1<<10)
			must(t, err)
			if got := r.TimeOf(int64(len(text))); got != c.want.UnixMilli() {
				t.Errorf("%q came at %v, want %v", text, time.UnixMilli(got).UTC(), c.want)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
