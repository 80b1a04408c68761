package edge

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berthhq/berth/domain/balancer"
)

// Lines are delivered each five minutes, at once where there are many, again where
// that failed, and at the end.
func TestLogsAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards got and names
		var got []string
		var broken atomic.Bool
		names := map[string]bool{}
		began := time.Now()
		j := newJournal(0, slog.New(slog.DiscardHandler), func(_ context.Context, l *balancer.Lines) error {
			if broken.Load() {
				return errors.New("no")
			}
			z, err := gzip.NewReader(bytes.NewReader(l.Text))
			if err != nil {
				t.Error(err)
			}
			text, _ := io.ReadAll(z)
			if len(text) > 100 {
				text = []byte("many")
			}
			mu.Lock()
			defer mu.Unlock()
			got = append(got, l.Until.Sub(began).Truncate(time.Minute).String()+" "+map[balancer.Log]string{balancer.ConnectionLog: "connections of "}[l.Log]+l.BalancerARN+" "+l.Address+" "+string(text))
			names[l.Name] = true
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.Run(ctx); close(done) }()
		expect := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("got %q, want %q", got, want)
			}
			got = nil
		}
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "b", Kind: balancer.Application}, "10.0.0.1", []byte("one"))
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "b", Kind: balancer.Application}, "10.0.0.1", []byte("two"))
		time.Sleep(4 * time.Minute)
		expect()
		time.Sleep(time.Minute)
		expect("5m0s b 10.0.0.1 one\ntwo\n")
		time.Sleep(5 * time.Minute)
		expect()
		broken.Store(true)
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "b", Kind: balancer.Application}, "10.0.0.1", []byte("three"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		broken.Store(false)
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "b", Kind: balancer.Application}, "10.0.0.1", []byte("four"))
		time.Sleep(5 * time.Minute)
		expect("20m0s b 10.0.0.1 three\nfour\n")
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "c", Kind: balancer.Application}, "10.0.0.1", []byte("few"))
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "b", Kind: balancer.Application}, "10.0.0.1", bytes.Repeat([]byte("x"), partSize))
		expect("20m0s b 10.0.0.1 many")
		cancel()
		<-done
		expect("20m0s c 10.0.0.1 few\n")
		j.Write(balancer.ConnectionLog, &balancer.Balancer{ARN: "c", Kind: balancer.Application}, "10.0.0.1", []byte("one came"))
		j.deliver(t.Context(), time.Now(), 0, true)
		expect("20m0s connections of c 10.0.0.1 one came\n")
		if len(names) != 5 {
			t.Errorf("names %v", names)
		}
	})
}

func TestLogsMayBeDeliveredSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now() // a whole hour
		var got atomic.Value
		j := newJournal(0, slog.New(slog.DiscardHandler), func(_ context.Context, l *balancer.Lines) error {
			got.Store(l.BalancerARN + " " + l.Until.Sub(began).String())
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { j.Run(ctx); close(done) }()
		j.Write(balancer.AccessLog, &balancer.Balancer{ARN: "old", Kind: balancer.Classic}, "10.0.0.1", []byte("line"))
		time.Sleep(59 * time.Minute)
		if early := got.Load(); early != nil {
			t.Errorf("delivered %s", early)
		}
		time.Sleep(2 * time.Minute)
		if at := got.Load(); at != "old 1h0m0s" {
			t.Errorf("delivered %v", at)
		}
		cancel()
		<-done
	})
}
