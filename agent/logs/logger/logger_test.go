package logger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/logs/spool"
)

const loggerDir = "BERTH_TEST_LOGGER_DIR"

// TestMain lets the test binary be the logger process.
func TestMain(m *testing.M) {
	if dir := os.Getenv(loggerDir); dir != "" {
		if err := Run(context.Background(), spool.Root(dir), slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// startLogger runs the logger process on the spool.
func startLogger(t testing.TB, root spool.Root) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loggerDir+"="+string(root))
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func newSpool(t testing.TB) spool.Root {
	root := spool.Root(t.TempDir())
	agent, err := root.LockAgent()
	must(t, err)
	t.Cleanup(func() { must(t, agent.Close()) })
	return root
}

func newContainer(t testing.TB, root spool.Root, id string, terms spool.Terms) spool.Container {
	t.Helper()
	c, err := root.Make(id, terms, "order")
	must(t, err)
	return c
}

// shim opens a stream's FIFO as a container's shim does: for writing, and for
// reading too, so that it never breaks.
func shim(t testing.TB, c spool.Container, stream string) (w *os.File, closeBoth func()) {
	t.Helper()
	r, err := os.OpenFile(c.FIFO(stream), os.O_RDWR, 0)
	must(t, err)
	w, err = os.OpenFile(c.FIFO(stream), os.O_WRONLY, 0)
	must(t, err)
	return w, func() { r.Close(); w.Close() }
}

// until polls a condition for up to half a minute.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-ticker.C {
		if condition() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// content reads what is on a tape, and the times it has for the end of each chunk.
func content(t testing.TB, c spool.Container, stream string) []byte {
	t.Helper()
	r, err := spool.NewReader(c.Tape(stream))
	must(t, err)
	defer r.Close()
	var all []byte
	for {
		before := len(all)
		var n int
		all, n, err = r.Read(all, 1<<20)
		must(t, err)
		if n == 0 {
			return all
		}
		if at := r.TimeOf(int64(len(all))); at == 0 || before+n != len(all) {
			t.Fatalf("the bytes up to %d have the time %d", len(all), at)
		}
	}
}

// TestAKilledLoggerLosesAndDoublesNothing kills the logger twenty times while a
// container prints on both streams as fast as it can.
func TestAKilledLoggerLosesAndDoublesNothing(t *testing.T) {
	root := newSpool(t)
	c := newContainer(t, root, "c1", spool.Terms{Limit: 1 << 40, Blocking: true})
	release, err := c.Hold() // as the agent does
	must(t, err)
	defer release()
	logger := startLogger(t, root)
	stop := make(chan struct{})
	printed := make(chan int, 2)
	for _, stream := range spool.Streams() {
		w, closeBoth := shim(t, c, stream)
		go func() {
			defer closeBoth()
			for n := 0; ; n++ {
				select {
				case <-stop:
					printed <- n
					return
				default:
				}
				if _, err := fmt.Fprintf(w, "%s line %d%s\n", stream, n, strings.Repeat(".", rand.IntN(200))); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for range 20 {
		pause := time.NewTimer(time.Duration(1+rand.IntN(60)) * time.Millisecond)
		<-pause.C
		must(t, logger.Process.Kill())
		_ = logger.Wait()
		logger = startLogger(t, root)
	}
	close(stop)
	counts := []int{<-printed, <-printed}
	must(t, c.SetOver())
	until(t, "the end of the recording", c.Done)
	total := 0
	for _, stream := range spool.Streams() {
		lines := strings.Split(strings.TrimSuffix(string(content(t, c, stream)), "\n"), "\n")
		for n, line := range lines {
			if got := strings.TrimRight(line, "."); got != fmt.Sprintf("%s line %d", stream, n) {
				t.Fatalf("%s: line %d is %q", stream, n, line)
			}
		}
		total += len(lines)
	}
	if total != counts[0]+counts[1] || total < 100 {
		t.Errorf("%d lines were printed, %d are on the tapes", counts[0]+counts[1], total)
	}
}

func TestTheContainerWaitsWhenABlockingBufferIsFull(t *testing.T) {
	root := newSpool(t)
	c := newContainer(t, root, "c1", spool.Terms{Limit: 64 << 10, Blocking: true})
	startLogger(t, root)
	w, closeBoth := shim(t, c, "stdout")
	const size = 4 << 20
	wrote := make(chan error, 1)
	go func() {
		_, err := w.Write(bytes.Repeat([]byte("0123456789abcde\n"), size/16))
		closeBoth()
		wrote <- err
	}()
	reader, err := spool.NewReader(c.Tape("stdout"))
	must(t, err)
	defer reader.Close()
	var got []byte
	until(t, "a full buffer", func() bool {
		got, _, err = reader.Read(got, 1<<20)
		must(t, err)
		return len(got) == 64<<10
	})
	select {
	case err := <-wrote:
		t.Fatalf("the container did not wait (%v)", err)
	default:
	}
	must(t, reader.Done(int64(len(got))))
	until(t, "the rest", func() bool {
		var n int
		got, n, err = reader.Read(got, 1<<20)
		must(t, err)
		if n > 0 && len(got)-int(reader.At()) != 0 {
			t.Fatal("the reader lost its place")
		}
		must(t, reader.Done(int64(len(got))))
		return len(got) == size
	})
	must(t, <-wrote)
	if lost, err := c.Tape("stdout").Lost(); err != nil || lost != (spool.Lost{}) {
		t.Errorf("lost %+v, %v", lost, err)
	}
	if entries, err := os.ReadDir(string(c.Tape("stdout"))); err != nil || len(entries) > 8 {
		t.Errorf("%d files are left on the tape", len(entries))
	}
}

func TestAFullBufferDropsWholeLinesAndCountsThem(t *testing.T) {
	root := newSpool(t)
	c := newContainer(t, root, "c1", spool.Terms{Limit: 64 << 10})
	startLogger(t, root)
	w, closeBoth := shim(t, c, "stderr")
	const lines = 100_000
	var output bytes.Buffer
	for n := range lines {
		fmt.Fprintf(&output, "line %06d\n", n)
	}
	_, err := io.Copy(w, &output)
	must(t, err)
	reader, err := spool.NewReader(c.Tape("stderr"))
	must(t, err)
	defer reader.Close()
	until(t, "the count of all that was dropped", func() bool {
		lost, err := c.Tape("stderr").Lost()
		must(t, err)
		return lost.Bytes+64<<10 >= lines*12
	})
	// Room again: what comes now is recorded, from the start of a line.
	var kept []byte
	for n := 1; n > 0; {
		kept, n, err = reader.Read(kept, 1<<20)
		must(t, err)
	}
	must(t, reader.Done(reader.At()))
	_, err = io.WriteString(w, "after\n")
	must(t, err)
	closeBoth()
	must(t, c.SetOver())
	until(t, "the end of the recording", c.Done)
	for n := 1; n > 0; {
		kept, n, err = reader.Read(kept, 1<<20)
		must(t, err)
	}
	got := strings.Split(strings.TrimSuffix(string(kept), "\n"), "\n")
	cut := 0
	for n, line := range got[:len(got)-1] {
		if line != fmt.Sprintf("line %06d", n) {
			cut++
		}
	}
	lost, err := c.Tape("stderr").Lost()
	must(t, err)
	// The line the buffer's end cut is on the tape in part, and counted as lost.
	if got[len(got)-1] != "after" || cut > 1 || int64(len(got)-1-cut)+lost.Lines != lines {
		t.Errorf("%d lines are kept, %d of them cut, %+v lost of %d; the last is %q", len(got), cut, lost, lines, got[len(got)-1])
	}
}

func TestTheLoggerEndsWhenNobodyNeedsIt(t *testing.T) {
	root := spool.Root(t.TempDir())
	agent, err := root.LockAgent()
	must(t, err)
	c := newContainer(t, root, "c1", spool.Terms{Limit: 1 << 20})
	logger := startLogger(t, root)
	until(t, "the logger", func() bool { alive, err := root.LoggerAlive(); must(t, err); return alive })

	second := startLogger(t, root)
	must(t, second.Wait()) // there is one already

	must(t, agent.Close())
	w, closeBoth := shim(t, c, "stdout")
	_, err = io.WriteString(w, "printed without an agent\n")
	must(t, err)
	closeBoth()
	must(t, c.SetOver())
	must(t, logger.Wait())
	if got := string(content(t, c, "stdout")); got != "printed without an agent\n" || !c.Done() {
		t.Errorf("on the tape: %q", got)
	}
}

func TestTheLoggerEndsWithItsSpool(t *testing.T) {
	root := spool.Root(filepath.Join(t.TempDir(), "spool"))
	must(t, os.Mkdir(string(root), 0o700))
	newContainer(t, root, "c1", spool.Terms{Limit: 1 << 20, Blocking: true})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loggerDir+"="+string(root))
	var said bytes.Buffer
	cmd.Stderr = &said
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	until(t, "the logger", func() bool { alive, err := root.LoggerAlive(); must(t, err); return alive })
	must(t, os.RemoveAll(string(root)))
	if err := cmd.Wait(); err == nil || !strings.Contains(said.String(), "the log spool was removed") {
		t.Errorf("%v: %s", err, said.String())
	}
}

func TestAContainerHasOnePlace(t *testing.T) {
	root := newSpool(t)
	c := newContainer(t, root, "c1", spool.Terms{Limit: 1, Blocking: true})
	if _, err := root.Make("c1", spool.Terms{}, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second place: %v", err)
	}
	for _, id := range []string{"", "..", "a/b", "x.over", "lock", "agent"} {
		if _, err := root.Make(id, spool.Terms{}, nil); err == nil {
			t.Errorf("%q names a container", id)
		}
	}
	terms, err := c.Terms()
	must(t, err)
	var order string
	must(t, c.ReadOrder(&order))
	if terms != (spool.Terms{Limit: 1, Blocking: true}) || order != "order" {
		t.Errorf("%+v, %q", terms, order)
	}
	must(t, c.SetOver())
	must(t, c.Remove())
	if list, err := root.Containers(); err != nil || len(list) != 0 || c.Over() {
		t.Errorf("left: %v, %v", list, err)
	}
}

// BenchmarkRecord prints lines of 100 bytes through a FIFO to a tape. One
// operation is one line.
func BenchmarkRecord(b *testing.B) {
	root := newSpool(b)
	c := newContainer(b, root, "c1", spool.Terms{Limit: 1 << 40, Blocking: true})
	logger := startLogger(b, root)
	w, closeBoth := shim(b, c, "stdout")
	line := []byte(strings.Repeat("x", 99) + "\n")
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	closeBoth()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", logger.Process.Pid))
	must(b, err)
	for l := range strings.SplitSeq(string(status), "\n") {
		var kib float64
		if n, _ := fmt.Sscanf(l, "VmRSS: %f kB", &kib); n == 1 {
			b.ReportMetric(kib/1024, "MB-rss")
		}
	}
}
