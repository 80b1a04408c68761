package logs

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	"github.com/berthhq/berth/domain/telemetry"
)

// BenchmarkShip prints lines of 100 bytes through everything: a FIFO, the logger
// process, the agent's shipper, a signed PutLogEvents over a socket, the gateway
// and the archive on disk. One operation is one line stored.
func BenchmarkShip(b *testing.B) {
	s := newServer(b)
	l, _ := newLogs(b, s.URL)
	pipes, err := l.Start(b.Context(), "c1", order("max-buffer-size", "100g"))
	must(b, err)
	w := openShim(b, pipes)
	line := []byte(strings.Repeat("x", 99) + "\n")
	block := slices.Repeat(line, 100)
	b.ResetTimer()
	for n := 0; n < b.N; n += 100 {
		_, err := w.stdout.Write(block)
		must(b, err)
	}
	w.close()
	must(b, l.End("c1"))
	must(b, l.Drained(b.Context(), "c1"))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkLatency prints 50 lines at a time, twenty times a second, and reports
// how long a line takes from the write to being readable in the archive.
func BenchmarkLatency(b *testing.B) {
	s := newServer(b)
	must(b, s.archive.CreateGroup(gatewaytest.Scope, telemetry.Group{Name: "g"}))
	tail, err := s.archive.Tail(gatewaytest.Scope, telemetry.TailQuery{Groups: []string{"g"}})
	must(b, err)
	defer tail.Close()
	l, _ := newLogs(b, s.URL)
	pipes, err := l.Start(b.Context(), "c1", order())
	must(b, err)
	w := openShim(b, pipes)
	stop := make(chan struct{})
	go print20PerSecond(w.stdout, stop)
	var took []time.Duration
	for b.Loop() {
		for before := len(took); len(took) < before+200; {
			records, _ := tail.Take()
			for _, r := range records {
				wrote, err := strconv.ParseInt(r.Message, 10, 64)
				must(b, err)
				took = append(took, time.Since(time.Unix(0, wrote)))
			}
			<-time.After(2 * time.Millisecond)
		}
	}
	close(stop)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "ms-p99")
}

func print20PerSecond(w *os.File, stop <-chan struct{}) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			for range 50 {
				fmt.Fprintln(w, time.Now().UnixNano())
			}
		}
	}
}
