package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	requestRounds  = 5
	requestClients = 16
	requestsEach   = 1250 // of a client in a round
)

// generator makes the requests of one client.
type generator func(ctx context.Context, at string, requests int) error

// keepAlive measures budget 11.
func keepAlive(ctx context.Context, b *bench) (result, error) {
	return b.requests(ctx, false, overHTTP1, 0.9)
}

// overTLS measures budget 12.
func overTLS(ctx context.Context, b *bench) (result, error) {
	return b.requests(ctx, true, overHTTP2, 1.1)
}

// requests compares the processor time of a request, round by round in turn.
func (b *bench) requests(ctx context.Context, secure bool, g generator, most float64) (result, error) {
	f, err := b.startFronts(ctx, secure)
	if err != nil {
		return result{}, err
	}
	defer f.close()
	took := make([][]float64, len(f.subjects))
	for n := range requestRounds + 1 {
		for i, s := range f.subjects {
			one, err := s.round(ctx, g)
			if err != nil {
				return result{}, fmt.Errorf("%s: %w", s.name, err)
			}
			if n > 0 { // the first warms up
				took[i] = append(took[i], one)
			}
		}
	}
	r := result{Figures: []figure{{Name: "CPU a request", Value: median(took[0]), Unit: "us"}}}
	var peers []string
	for i, s := range f.subjects[1:] {
		theirs := took[i+1]
		peers = append(peers, fmt.Sprintf("%s %s us (%s-%s)", s.name, short(median(theirs)), short(slices.Min(theirs)), short(slices.Max(theirs))))
		x := figure{Name: "to " + s.name, Value: median(took[0]) / median(theirs), Unit: "x"}
		if s.name == "haproxy" {
			x.Most = most
		}
		r.Figures = append(r.Figures, x)
	}
	r.Peer = strings.TrimPrefix(strings.Join(peers, ", ")+f.missing, ", ")
	r.Note = fmt.Sprintf("%d rules and access log; ours %s-%s us in %d rounds", frontRules, short(slices.Min(took[0])), short(slices.Max(took[0])), requestRounds)
	return r, nil
}

// round is the processor time of a request in microseconds.
func (s *subject) round(ctx context.Context, g generator) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	errs := make([]error, requestClients)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = g(ctx, s.at, requestsEach) })
	}
	all.Wait()
	if err := firstOf(errs...); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return float64((after - before).Nanoseconds()) / 1000 / (requestClients * requestsEach), err
}

const request = "GET /a/page?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"

func overHTTP1(_ context.Context, at string, requests int) error { return keep(dialTCP, at, requests) }

// keep makes requests one after another on one connection.
func keep(dial dialer, at string, requests int) error {
	c, err := dial(at)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range requests {
		if err := ask(c, in); err != nil {
			return err
		}
	}
	return nil
}

func ask(c net.Conn, in *bufio.Reader) error {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	return hasHello(answer)
}

func hasHello(answer *http.Response) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || string(body) != "hello") {
		err = fmt.Errorf("answer %s: %q", answer.Status, body)
	}
	return err
}

func overHTTP2(ctx context.Context, at string, requests int) error {
	t := &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}
	defer t.CloseIdleConnections()
	for range requests {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+at+"/a/page?q=1", nil)
		if err != nil {
			return err
		}
		answer, err := t.RoundTrip(r)
		if err != nil {
			return err
		}
		if answer.ProtoMajor != 2 {
			return fmt.Errorf("the answer came by %s", answer.Proto)
		}
		if err := hasHello(answer); err != nil {
			return err
		}
	}
	return nil
}

func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }
