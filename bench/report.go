package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figure is one number, with its budget when it has one.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Most  float64 `json:"most,omitempty"`  // the budget is at most this
	Least float64 `json:"least,omitempty"` // or at least this
}

func (f figure) String() string {
	text := fmt.Sprintf("%s %s %s", f.Name, short(f.Value), f.Unit)
	switch {
	case f.Most > 0 && f.Value > f.Most:
		return text + fmt.Sprintf(" (over %s)", short(f.Most))
	case f.Most > 0:
		return text + fmt.Sprintf(" (<= %s)", short(f.Most))
	case f.Least > 0 && f.Value < f.Least:
		return text + fmt.Sprintf(" (under %s)", short(f.Least))
	case f.Least > 0:
		return text + fmt.Sprintf(" (>= %s)", short(f.Least))
	}
	return text
}

// short shows three digits that matter.
func short(v float64) string {
	switch {
	case v >= 100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// result is what one measurement found.
type result struct {
	Budget  int      `json:"budget"`
	What    string   `json:"what"`
	Figures []figure `json:"figures"`
	Peer    string   `json:"peer,omitempty"` // the same of somebody else, in the same run
	Note    string   `json:"note,omitempty"`
}

func (r result) String() string {
	words := make([]string, len(r.Figures))
	for i, f := range r.Figures {
		words[i] = f.String()
	}
	line := fmt.Sprintf("#%-2d %s: %s", r.Budget, r.What, strings.Join(words, ", "))
	if r.Peer != "" {
		line += " | peer: " + r.Peer
	}
	if r.Note != "" {
		line += " | " + r.Note
	}
	return line
}

// report is one run.
type report struct {
	At      time.Time `json:"at"`
	Version string    `json:"version"`
	Load    string    `json:"load"` // averages when it began
	CPUs    int       `json:"cpus"`
	Results []result  `json:"results"`
}

func newReport() *report {
	r := &report{At: time.Now().UTC().Truncate(time.Second), Version: "unknown", CPUs: runtime.NumCPU()}
	if out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		r.Version = strings.TrimSpace(string(out))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	return r
}

func (r *report) String() string {
	return fmt.Sprintf("berth %s on %d CPUs, load average %s", r.Version, r.CPUs, r.Load)
}

func (r *report) append(file string) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// durations are samples of how long something took.
type durations []time.Duration

// at is the p-th percentile in milliseconds.
func (d durations) at(p int) float64 {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return milliseconds(sorted[min(len(sorted)-1, len(sorted)*p/100)])
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
