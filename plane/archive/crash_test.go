package archive

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/telemetry"
)

const crashDir = "BERTH_TEST_ARCHIVE_DIR"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeUntilKilled goes on where the stream ends: it sends batches from a source,
// each twice, and prints how far it was acknowledged.
func writeUntilKilled(dir string) error {
	a, err := Open(dir, Options{DiskUse: func() float64 { return 0 }})
	if err != nil {
		return err
	}
	_ = a.CreateGroup(here, telemetry.Group{Name: "g"})
	_ = a.CreateStream(here, "g", "a")
	page, err := a.Read(here, "g", "a", telemetry.ReadQuery{Limit: 1})
	if err != nil {
		return err
	}
	next := 0
	if len(page.Records) > 0 {
		if _, err := fmt.Sscan(page.Records[0].Message, &next); err != nil {
			return err
		}
		next++
	}
	for {
		events := make([]telemetry.Event, 1+rand.IntN(50))
		for i := range events {
			events[i] = telemetry.Event{Timestamp: time.Now().UnixMilli(), Message: fmt.Sprint(next + i)}
		}
		source := &telemetry.Source{Producer: "p", From: int64(next), Through: int64(next + len(events))}
		for range 2 {
			if _, err := a.Put(here, "g", "a", events, source); err != nil {
				return err
			}
		}
		next += len(events)
		fmt.Println(next)
	}
}

// TestKilledAtAnyMomentNothingAcknowledgedIsLost kills a writer ten times, and
// each time finds every acknowledged event once, in order.
func TestKilledAtAnyMomentNothingAcknowledgedIsLost(t *testing.T) {
	dir := t.TempDir()
	acknowledged := 0
	for range 10 {
		acknowledged = max(acknowledged, killWriter(t, dir))
		a, err := Open(dir, Options{DiskUse: func() float64 { return 0 }})
		must(t, err)
		q := telemetry.ReadQuery{Forward: true}
		count := 0
		for page, err := a.Read(here, "g", "a", q); ; page, err = a.Read(here, "g", "a", q) {
			must(t, err)
			if len(page.Records) == 0 {
				break
			}
			for _, r := range page.Records {
				if r.Message != fmt.Sprint(count) {
					t.Fatalf("event %d says %s", count, r.Message)
				}
				count++
			}
			q.From = &page.After
		}
		must(t, a.Close())
		if count < acknowledged {
			t.Fatalf("%d events were acknowledged, %d are left", acknowledged, count)
		}
	}
	if acknowledged == 0 {
		t.Fatal("nothing was ever acknowledged")
	}
}

// killWriter runs a writer, kills it after some acknowledgements and returns the
// last it printed.
func killWriter(t *testing.T, dir string) (acknowledged int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for left := 1 + rand.IntN(40); lines.Scan(); left-- {
		if strings.HasPrefix(lines.Text(), "error") {
			t.Fatal(lines.Text())
		}
		if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
			t.Fatalf("the writer said %q", lines.Text())
		}
		if left == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return acknowledged
}
