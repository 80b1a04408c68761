package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

const (
	spliceAt     = "127.0.0.1:8000"
	spliceTarget = "127.0.0.1:9000"

	spliceRounds  = 5
	spliceClients = 4
)

// spliceLoads are done by each client in a round; a unit is of all clients.
func spliceLoads(dial dialer) []load {
	const requests, dials, bytes = 1500, 500, 64 << 20
	return []load{
		{"bulk", "us/MB", spliceClients * bytes >> 20, 1.3, func(at string) error { return bulk(dial, at, bytes) }},
		{"keep-alive", "us", spliceClients * requests, 1.3, func(at string) error { return keep(dial, at, requests) }},
		{"new connections", "us", spliceClients * dials, 1.5, func(at string) error { return connections(dial, at, dials) }},
	}
}

// userland measures budget 14: processor time of the process that is in between, ours
// and HAProxy's in turn, with TLS that ends there, and with the proxy protocol.
func userland(ctx context.Context, b *bench) (result, error) {
	program, missing := exec.LookPath("haproxy")
	r := result{}
	for _, kind := range []struct {
		name   string
		secure bool
		dial   dialer
	}{{"TLS", true, dialTLS}, {"proxy protocol", false, dialTCP}} {
		all, err := b.startSpliced(ctx, program, kind.secure)
		if err != nil {
			return result{}, err
		}
		err = r.compare(kind.name, all, kind.dial)
		for _, s := range all {
			err = firstOf(err, s.close())
		}
		if err != nil {
			return result{}, err
		}
	}
	if missing != nil {
		r.Peer = "haproxy is not installed"
	} else {
		r.Peer = "haproxy with splice-request and splice-response: " + strings.TrimPrefix(r.Peer, ", ")
	}
	r.Note = fmt.Sprintf("%d clients, medians of %d rounds, ours with its packet filter in its namespace", spliceClients, spliceRounds)
	return r, nil
}

// compare adds figures of one kind; the peer is the second, if there is one.
func (r *result) compare(kind string, all []*spliced, dial dialer) error {
	for _, l := range spliceLoads(dial) {
		took := make([][]float64, len(all))
		for n := range spliceRounds + 1 {
			for i, s := range all {
				one, err := s.round(&l)
				if err != nil {
					return fmt.Errorf("%s, %s of %s: %w", kind, l.name, s.name, err)
				}
				if n > 0 { // the first warms up
					took[i] = append(took[i], one)
				}
			}
		}
		r.Figures = append(r.Figures, figure{Name: kind + " " + l.name, Value: median(took[0]), Unit: l.unit})
		if len(all) > 1 {
			r.Peer += fmt.Sprintf(", %s %s %s %s (%s-%s)", kind, l.name, short(median(took[1])), l.unit, short(slices.Min(took[1])), short(slices.Max(took[1])))
			r.Figures = append(r.Figures, figure{Name: "to haproxy", Value: median(took[0]) / median(took[1]), Unit: "x", Most: l.most})
		}
	}
	return nil
}

// round is the processor time of a unit in microseconds.
func (s *spliced) round(l *load) (float64, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	errs := make([]error, spliceClients)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = s.space.Do(func() error { return l.do(spliceAt) }) })
	}
	all.Wait()
	if err := firstOf(errs...); err != nil {
		return 0, err
	}
	after, err := s.cpu()
	return float64((after - before).Nanoseconds()) / 1000 / l.count, err
}
