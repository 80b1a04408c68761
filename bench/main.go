// Command bench prints the figures that berth is judged by, a line for each
// budget: what was measured, what the budget is, and what a peer needs for the
// same where one is installed. Figures are for people and for comparing two
// commits on one machine; nothing fails for being slow, as a machine may be busy.
//
// Each run is appended to bench/history, a JSON line. The file is not committed:
// figures of one machine say nothing beside those of another.
//
// What is measured runs in processes of its own, from the build in bin/, with its
// data in a temporary folder and on loopback only. All of it ends with the bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// budget is one figure that is kept, by its number in the list of budgets.
type budget struct {
	number  int
	what    string
	measure func(context.Context, *bench) (result, error)
}

func budgets() []budget {
	return []budget{
		{1, "tasks of a service placed to RUNNING, each transition on disk, 100 simulated agents", throughput},
		{2, "placement as a pure function", placements},
		{3, "RunTask of one to the agent having the order, idle cluster with services", ordered},
		{4, "RunTask of one to RUNNING seen in DescribeTasks, simulated agent", running},
		{5, "RunTask of one to the container's first instruction, EC2", startOnEC2},
		{6, "RunTask of one to the container's first instruction, Fargate (gVisor)", startOnFargate},
		{7, "API, 500 requests/s of a mix, 10,000 tasks live, 1,000 of them a service's", mix},
		{8, "memory", memory},
		{11, "ALB, HTTP/1.1 keep-alive", keepAlive},
		{12, "ALB, HTTP/2 over TLS", overTLS},
		{13, "NLB over nftables, all CPU against plain routing", carried},
		{14, "NLB in user space, CPU of the process", userland},
		{15, "ALB, 10,000 idle clients", idle},
		{16, "ALB, failed requests while targets change each second", changing},
		{17, "task RUNNING to its first request through the ALB", firstRequest},
		{18, "network of a task: set-up", taskNetwork},
		{20, "log line written to readable", logLines},
		{21, "make build from a warm cache; the fast tests", builds},
		{22, "authorisation of a call with ten attached policies", authorisation},
	}
}

// bench is what measurements share.
type bench struct {
	bin  string // folder of berth's programs
	dir  string // temporary
	up   *house
	noUp error // why there is none
	runs *latencies
}

func main() {
	if len(os.Args) == 3 && slices.Contains([]string{"front", "splice", "target"}, os.Args[1]) {
		fmt.Fprintln(os.Stderr, "bench:", frontProcess(os.Args[1], os.Args[2]))
		os.Exit(1)
	}
	only := flag.String("only", "", "numbers of the budgets to measure, with commas; all when empty")
	bin := flag.String("bin", "bin", "folder of berth's programs")
	history := flag.String("history", filepath.Join("bench", "history"), "file to append the figures to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *only, *bin, *history)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, bin, history string) (err error) {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	b := &bench{}
	if b.bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "berth-bench-"); err != nil {
		return err
	}
	defer func() {
		err = firstOf(err, b.up.close(), os.RemoveAll(b.dir))
	}()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	r := newReport()
	fmt.Println(r)
	failed := 0
	for _, c := range chosen {
		got, err := c.measure(ctx, b)
		if ctx.Err() != nil {
			return ctx.Err() // interrupted, or it took too long
		}
		if err != nil {
			failed++
			fmt.Printf("#%-2d %s: could not be measured: %v\n", c.number, c.what, err)
			continue
		}
		got.Budget, got.What = c.number, c.what
		fmt.Println(got)
		r.Results = append(r.Results, got)
	}
	if err := r.append(history); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d could not be measured", failed, len(chosen))
	}
	return nil
}

func choose(only string) ([]budget, error) {
	all := budgets()
	if only == "" {
		return all, nil
	}
	var chosen []budget
	for word := range strings.SplitSeq(only, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		i := slices.IndexFunc(all, func(b budget) bool { return b.number == n })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("there is no measurement of budget %q", word)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func firstOf(errs ...error) error {
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return errs[i]
}
