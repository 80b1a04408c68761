package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/berthhq/berth/sim"
)

// simCommand is `berth sim`: it plays seed after seed until one breaks an
// invariant.
func simCommand(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("berth sim", flag.ContinueOnError)
	seed := fs.Uint64("seed", 0, "first seed")
	runs := fs.Uint64("runs", 100, "how many seeds to play")
	steps := fs.Int("steps", sim.Steps, "events of a run before its faults end")
	output := fs.String("output", "table", "table or json, an object a line")
	if err := parse(fs, args); err != nil {
		return err
	}
	show, known := simOutputs()[*output]
	if !known {
		return misuse{errors.New("--output is table or json")}
	}
	for n := range *runs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r := sim.Run(*seed+n, *steps)
		if err := show(os.Stdout, r); err != nil {
			return err
		}
		if r.Err != nil {
			return fmt.Errorf("an invariant broke; play it again with `berth sim --seed %d --runs 1 --steps %d`", r.Seed, *steps)
		}
	}
	return nil
}

func simOutputs() map[string]func(io.Writer, *sim.Report) error {
	return map[string]func(io.Writer, *sim.Report) error{"table": simTable, "json": simJSON}
}

func simTable(w io.Writer, r *sim.Report) error {
	_, err := fmt.Fprintln(w, r)
	return err
}

// simRun is a run as JSON shows it.
type simRun struct {
	Seed             uint64         `json:"seed"`
	OK               bool           `json:"ok"`
	Events           int            `json:"events"`
	SimulatedSeconds float64        `json:"simulatedSeconds"`
	Tasks            int            `json:"tasks"`
	Crashes          int            `json:"crashes"`
	MessagesLost     int            `json:"messagesLost"`
	Started          map[string]int `json:"started"`
	Broken           string         `json:"broken,omitempty"`
	Trace            []string       `json:"trace,omitempty"`
}

func simJSON(w io.Writer, r *sim.Report) error {
	out := simRun{
		Seed: r.Seed, OK: r.Err == nil, Events: r.Events, SimulatedSeconds: r.Simulated.Round(time.Millisecond).Seconds(),
		Tasks: r.Tasks, Crashes: r.Crashes, MessagesLost: r.Lost, Started: r.Started,
	}
	if r.Err != nil {
		out.Broken, out.Trace = r.Err.Error(), r.Trace
	}
	return json.NewEncoder(w).Encode(out)
}
