package edge

import (
	"context"
	"maps"
	"time"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/domain/balancer"
)

const (
	// lookEvery is how soon a change of health is reported.
	lookEvery = 100 * time.Millisecond
	// wholeEvery is when all is told again, whatever was told before.
	wholeEvery = 30 * time.Second
	// targetsAtOnce keeps a report small.
	targetsAtOnce = 2000
	countEvery    = time.Minute
)

// report tells the control plane what engines saw, where it differs from what was told
// last.
func (e *Edge) report(ctx context.Context) {
	r := &reporter{api: client.New(e.Place), told: map[string]balancer.Report{}}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			var seen []balancer.TargetReport
			var wake []string
			troubles := map[string]string{}
			for _, x := range e.Engines {
				s, w := x.Report()
				seen, wake = append(seen, s...), append(wake, w...)
				if t, ok := x.(Troubled); ok {
					maps.Copy(troubles, t.Troubles())
				}
			}
			if err := r.tell(ctx, now, seen, wake, troubles); err != nil && ctx.Err() == nil {
				e.Log.Debug("health cannot be reported", "err", err)
				wait(ctx, time.Second)
			}
		}
	}
}

type reporter struct {
	api   *client.Client
	told  map[string]balancer.Report
	ill   map[string]string // the troubles that were told last; nil for none
	whole time.Time         // when all was told last
}

func (r *reporter) tell(ctx context.Context, now time.Time, seen []balancer.TargetReport, wake []string, troubles map[string]string) error {
	if now.Sub(r.whole) >= wholeEvery {
		clear(r.told)
		r.whole, r.ill = now, nil
	}
	if r.ill == nil || !maps.Equal(r.ill, troubles) {
		if err := r.api.Post(ctx, reportPath, balancer.EdgeReport{Troubles: troubles}, nil); err != nil {
			return err
		}
		r.ill = troubles
	}
	var news []balancer.TargetReport
	for _, t := range seen {
		was, ok := r.told[t.Target]
		was.At = t.Report.At
		if !ok || was != t.Report {
			news = append(news, t)
		}
	}
	for len(news) > 0 || len(wake) > 0 {
		n := min(len(news), targetsAtOnce)
		if err := r.api.Post(ctx, reportPath, balancer.EdgeReport{Health: news[:n], Wake: wake}, nil); err != nil {
			return err
		}
		for _, t := range news[:n] {
			r.told[t.Target] = t.Report
		}
		news, wake = news[n:], nil
	}
	return nil
}

// measure tells what engines counted, each minute.
func (e *Edge) measure(ctx context.Context) {
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			e.tellCounts(ctx, now)
		}
	}
}

// tellLast tells what is left to tell when the edge ends.
func (e *Edge) tellLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	e.tellCounts(ctx, time.Now())
}

// tellCounts tells what engines counted since it was last told.
func (e *Edge) tellCounts(ctx context.Context, now time.Time) {
	var counts []balancer.Count
	for _, x := range e.Engines {
		counts = append(counts, x.Counts(now.Truncate(time.Minute))...)
	}
	if len(counts) == 0 {
		return
	}
	if err := client.New(e.Place).Post(ctx, countsPath, counts, nil); err != nil && ctx.Err() == nil {
		e.Log.Warn("a minute's datapoints are lost", "err", err)
	}
}
