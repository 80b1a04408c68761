package logs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/logs/spool"
	api "github.com/berthhq/berth/aws/api/logs"
	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/aws/gateway/gatewaytest"
	shape "github.com/berthhq/berth/aws/shape/logs"
	"github.com/berthhq/berth/domain/telemetry"
	"github.com/berthhq/berth/plane/archive"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

const (
	loggerDir = "BERTH_TEST_LOGGER_DIR"
	agentPlan = "BERTH_TEST_AGENT_PLAN"
)

// plan is what the agent process of a test does.
type plan struct {
	Dir, Files, Endpoint string
	ID                   string
	Order                Order
}

// TestMain lets the test binary be the logger process and the agent process.
func TestMain(m *testing.M) {
	if dir := os.Getenv(loggerDir); dir != "" {
		exitOn(RunLogger(context.Background(), dir, slog.New(slog.NewTextHandler(os.Stderr, nil))))
	}
	if text := os.Getenv(agentPlan); text != "" {
		var p plan
		err := json.Unmarshal([]byte(text), &p)
		if err == nil {
			err = p.run()
		}
		exitOn(err)
	}
	os.Exit(m.Run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run ships one container's output until it is killed or all is shipped.
func (p plan) run() error {
	l, err := Open(config(p))
	if err != nil {
		return err
	}
	if _, err := l.Start(context.Background(), p.ID, p.Order); err != nil && !spool.Root(p.Dir).Container(p.ID).Over() {
		return err
	}
	return l.Drained(context.Background(), p.ID)
}

func config(p plan) Config {
	return Config{
		Dir: p.Dir, Files: p.Files, Endpoint: p.Endpoint,
		Logger: []string{"env", "-u", agentPlan, loggerDir + "=" + p.Dir, os.Args[0]},
		Keys: func(context.Context, string) (sigv4.Keys, error) {
			return sigv4.Keys{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, nil
		},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-ticker.C {
		if condition() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// server is CloudWatch Logs on a socket. While faulty it breaks connections before
// or after it has done what it was asked.
type server struct {
	URL     string
	archive *archive.Archive
	faulty  atomic.Bool
	denied  atomic.Pointer[string] // an operation; nil for none
}

func newServer(t testing.TB) *server {
	t.Helper()
	a, err := archive.Open(t.TempDir(), archive.Options{DiskUse: func() float64 { return 0 }})
	must(t, err)
	t.Cleanup(func() { must(t, a.Close()) })
	g := gatewaytest.Start(t, func(store.Store) []gateway.Offer {
		return []gateway.Offer{{Service: shape.API, Handlers: api.New(a).Operations()}}
	}, nil)
	s := &server{archive: a}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denied := s.denied.Load(); denied != nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+*denied) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"AccessDeniedException","message":"User: arn:aws:sts::1:assumed-role/exec/1 is not authorized to perform: logs:%s"}`, *denied)
			return
		}
		if !s.faulty.Load() {
			g.Gateway.ServeHTTP(w, r)
			return
		}
		fate := rand.IntN(10)
		if fate > 1 {
			answer := httptest.NewRecorder()
			g.Gateway.ServeHTTP(answer, r)
			if fate > 3 {
				w.WriteHeader(answer.Code)
				_, _ = w.Write(answer.Body.Bytes())
				return
			}
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(front.Close)
	s.URL = front.URL
	return s
}

// messages reads a stream of group g.
func (s *server) messages(t testing.TB, stream string) (all []string) {
	t.Helper()
	q := telemetry.ReadQuery{Forward: true}
	for {
		page, err := s.archive.Read(gatewaytest.Scope, "g", stream, q)
		must(t, err)
		if len(page.Records) == 0 {
			return all
		}
		for _, r := range page.Records {
			all = append(all, r.Message)
		}
		q.From = &page.After
	}
}

func order(options ...string) Order {
	o := Order{
		TaskARN: "arn:aws:ecs:eu-central-1:123456789012:task/default/0123", TaskID: "0123", Container: "web", RuntimeID: "rt",
		Region: gatewaytest.Scope.Region, Driver: "awslogs",
		Options: map[string]string{"awslogs-group": "g", "awslogs-stream-prefix": "app", "awslogs-create-group": "true"},
	}
	for i := 0; i < len(options); i += 2 {
		o.Options[options[i]] = options[i+1]
	}
	return o
}

const streamOf = "app/web/0123"

func newLogs(t testing.TB, endpoint string) (*Logs, plan) {
	t.Helper()
	p := plan{Dir: t.TempDir(), Files: t.TempDir(), Endpoint: endpoint}
	l, err := Open(config(p))
	must(t, err)
	t.Cleanup(func() {
		must(t, l.Close())
		stopLogger(t, spool.Root(p.Dir))
	})
	// A logger that comes up after the test would write where its folder was.
	until(t, "the logger", func() bool { alive, err := spool.Root(p.Dir).LoggerAlive(); must(t, err); return alive })
	return l, p
}

// stopLogger ends what recordings are left and waits for the logger to notice.
func stopLogger(t testing.TB, root spool.Root) {
	containers, err := root.Containers()
	must(t, err)
	for _, c := range containers {
		must(t, c.SetOver())
	}
	until(t, "the logger's end", func() bool { alive, err := root.LoggerAlive(); must(t, err); return !alive })
}

// shim is the writing end of a container's pipes.
type shim struct{ stdout, stderr *os.File }

func openShim(t testing.TB, p Pipes) shim {
	t.Helper()
	open := func(path string) *os.File {
		f, err := os.OpenFile(path, os.O_RDWR, 0) // a shim holds both ends
		must(t, err)
		return f
	}
	return shim{open(p.Stdout), open(p.Stderr)}
}

func (s shim) close() { s.stdout.Close(); s.stderr.Close() }

func TestOutputArrivesWhileTheContainerRuns(t *testing.T) {
	s := newServer(t)
	l, p := newLogs(t, s.URL)
	pipes, err := l.Start(t.Context(), "c1", order())
	must(t, err)
	c := openShim(t, pipes)
	_, err = io.WriteString(c.stdout, "hello\nwor")
	must(t, err)
	_, err = io.WriteString(c.stderr, "oops\n")
	must(t, err)
	has := func(want ...string) func() bool {
		return func() bool {
			if _, err := s.archive.Group(gatewaytest.Scope, "g"); err != nil {
				return false
			}
			if list, _, err := s.archive.Streams(gatewaytest.Scope, "g", telemetry.StreamQuery{Limit: 1}); err != nil || len(list) == 0 {
				return false
			}
			got := s.messages(t, streamOf)
			slices.Sort(got)
			return slices.Equal(got, want)
		}
	}
	until(t, "the first lines", has("hello", "oops"))
	_, err = io.WriteString(c.stdout, "ld\nno newline")
	must(t, err)
	until(t, "the third line", has("hello", "oops", "world"))
	c.close()
	must(t, l.End("c1"))
	must(t, l.Drained(t.Context(), "c1"))
	if !has("hello", "no newline", "oops", "world")() {
		t.Errorf("got %q", s.messages(t, streamOf))
	}
	if list, err := spool.Root(p.Dir).Containers(); err != nil || len(list) != 0 {
		t.Errorf("the spool still has %v (%v)", list, err)
	}
	if _, known := l.Status("c1"); known {
		t.Error("a shipped container has a status")
	}
	must(t, l.End("c1"))
}

func TestAnIDMayBeUsedAgain(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	for attempt := range 3 {
		pipes, err := l.Start(t.Context(), "c1", order())
		must(t, err)
		same, err := l.Start(t.Context(), "c1", order())
		if err != nil || same != pipes {
			t.Errorf("started twice: %+v, %v", same, err)
		}
		c := openShim(t, pipes)
		_, err = fmt.Fprintf(c.stdout, "attempt %d\n", attempt)
		must(t, err)
		c.close()
		must(t, l.End("c1"))
	}
	must(t, l.Drained(t.Context(), "c1"))
	if got := s.messages(t, streamOf); !slices.Equal(got, []string{"attempt 0", "attempt 1", "attempt 2"}) {
		t.Errorf("got %q", got)
	}
}

// An agent that is killed while it frees a place leaves the word of its end behind.
func TestAnEndOfEarlierIsNotOfTheNextUse(t *testing.T) {
	s := newServer(t)
	l, p := newLogs(t, s.URL)
	_, err := l.Start(t.Context(), "c1", order())
	must(t, err)
	must(t, l.End("c1"))
	must(t, l.Drained(t.Context(), "c1"))
	must(t, spool.Root(p.Dir).Container("c1").SetOver())
	pipes, err := l.Start(t.Context(), "c1", order())
	must(t, err)
	c := openShim(t, pipes)
	defer c.close()
	for n := range 3 {
		_, err = fmt.Fprintf(c.stdout, "line %d\n", n)
		must(t, err)
		until(t, "the line", func() bool { return len(s.messages(t, streamOf)) == n+1 })
	}
}

func TestASilentContainerHasItsStream(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	_, err := l.Start(t.Context(), "c1", order())
	must(t, err)
	until(t, "the stream", func() bool {
		list, _, err := s.archive.Streams(gatewaytest.Scope, "g", telemetry.StreamQuery{Limit: 1})
		return err == nil && len(list) == 1 && list[0].Name == streamOf
	})
}

func TestLinesOfOneEventAreJoined(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	pipes, err := l.Start(t.Context(), "c1", order("awslogs-datetime-format", "%Y-%m-%d"))
	must(t, err)
	c := openShim(t, pipes)
	_, err = io.WriteString(c.stdout, "2026-01-01 failed\n  at one\n  at two\n2026-01-02 fine\n")
	must(t, err)
	until(t, "both events, the last without one after it", func() bool {
		list, _, err := s.archive.Streams(gatewaytest.Scope, "g", telemetry.StreamQuery{Limit: 1})
		return err == nil && len(list) == 1 && slices.Equal(s.messages(t, streamOf), []string{"2026-01-01 failed\n  at one\n  at two", "2026-01-02 fine"})
	})
	c.close()
}

func TestAMissingGroupIsSaidAndWaitedFor(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	blocking := order("awslogs-create-group", "false", "mode", "blocking")
	_, err := l.Start(t.Context(), "c0", blocking)
	if err == nil || !strings.Contains(err.Error(), "failed to create Cloudwatch log stream") || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("a blocking driver started: %v", err)
	}
	pipes, err := l.Start(t.Context(), "c1", order("awslogs-create-group", "false"))
	must(t, err)
	c := openShim(t, pipes)
	_, err = io.WriteString(c.stdout, "early\n")
	must(t, err)
	until(t, "a problem", func() bool {
		status, _ := l.Status("c1")
		return strings.Contains(status.Problem, "The specified log group does not exist.")
	})
	must(t, s.archive.CreateGroup(gatewaytest.Scope, telemetry.Group{Name: "g"}))
	c.close()
	must(t, l.End("c1"))
	must(t, l.Drained(t.Context(), "c1"))
	if got := s.messages(t, streamOf); !slices.Equal(got, []string{"early"}) {
		t.Errorf("got %q", got)
	}
	if _, err := l.Start(t.Context(), "c2", blocking); err != nil {
		t.Error(err)
	}
}

// TestADeniedRoleIsSaid refuses to start a container that must not lose lines; any
// other runs, says what is wrong, counts what its buffer cannot hold, and ships what
// waits once the role may.
func TestADeniedRoleIsSaid(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	for _, operation := range []string{"CreateLogStream", "PutLogEvents"} {
		s.denied.Store(&operation)
		_, err := l.Start(t.Context(), "b-"+operation, order("mode", "blocking"))
		if err == nil || !strings.HasPrefix(err.Error(), "failed to initialize logging driver: ") || !strings.Contains(err.Error(), "AccessDeniedException: User: arn:aws:sts::1:assumed-role/exec/1 is not authorized to perform: logs:"+operation) {
			t.Errorf("a blocking driver started: %v", err)
		}
	}
	pipes, err := l.Start(t.Context(), "c1", order("max-buffer-size", "64k"))
	must(t, err)
	c := openShim(t, pipes)
	line := strings.Repeat("x", 1000) + "\n"
	for range 200 {
		_, err = io.WriteString(c.stdout, line)
		must(t, err)
	}
	until(t, "lines to be dropped for a reason", func() bool {
		status, _ := l.Status("c1")
		return strings.Contains(status.Problem, "AccessDeniedException") && status.Lost.Lines > 0
	})
	s.denied.Store(nil)
	until(t, "the problem to end", func() bool { status, _ := l.Status("c1"); return status.Problem == "" })
	_, err = io.WriteString(c.stdout, "late\n")
	must(t, err)
	c.close()
	must(t, l.End("c1"))
	must(t, l.Drained(t.Context(), "c1"))
	got := s.messages(t, streamOf)
	if len(got) < 2 || len(got) >= 200 || got[len(got)-1] != "late" {
		t.Errorf("%d lines arrived", len(got))
	}
}

func TestABlockingDriverWaitsForAServerThatFails(t *testing.T) {
	s := newServer(t)
	l, _ := newLogs(t, s.URL)
	s.faulty.Store(true)
	for n := range 10 {
		if _, err := l.Start(t.Context(), fmt.Sprintf("c%d", n), order("mode", "blocking")); err != nil {
			t.Error(err)
		}
	}
}

func TestNowhere(t *testing.T) {
	l, _ := newLogs(t, "http://127.0.0.1:1")
	if pipes, err := l.Start(t.Context(), "c1", Order{Driver: "none"}); err != nil || pipes != (Pipes{}) {
		t.Errorf("%+v, %v", pipes, err)
	}
	must(t, l.End("c1"))
	if _, err := l.Start(t.Context(), "c1", Order{Driver: "splunk"}); err == nil {
		t.Error("splunk started")
	}
}

func TestJSONFiles(t *testing.T) {
	l, p := newLogs(t, "http://127.0.0.1:1")
	o := Order{TaskID: "0123", Container: "web", Options: map[string]string{"max-size": "1k", "max-file": "2"}}
	for attempt := range 30 {
		id := fmt.Sprint("c", attempt)
		pipes, err := l.Start(t.Context(), id, o)
		must(t, err)
		c := openShim(t, pipes)
		_, err = fmt.Fprintf(c.stderr, "attempt %d\n", attempt)
		must(t, err)
		c.close()
		must(t, l.End(id))
		must(t, l.Drained(t.Context(), id))
	}
	path := FilePath(p.Files, "0123", "web")
	lines := append(readEntries(t, path+".1"), readEntries(t, path)...)
	if last := lines[len(lines)-1]; last.Log != "attempt 29\n" || last.Stream != "stderr" || len(lines) < 12 {
		t.Errorf("%d lines, the last %+v", len(lines), last)
	}
	if _, err := os.Stat(path + ".2"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a third file: %v", err)
	}
}

func readEntries(t testing.TB, path string) (all []entry) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var e entry
		must(t, json.Unmarshal(s.Bytes(), &e))
		if _, err := time.Parse(time.RFC3339Nano, e.Time); err != nil {
			t.Error(err)
		}
		all = append(all, e)
	}
	return all
}

// agentProcess runs an agent that can be killed.
func agentProcess(t testing.TB, p plan) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(p)
	must(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), agentPlan+"="+string(text))
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// killLogger kills the spool's logger process by the lock it holds.
func killLogger(t testing.TB, dir string) {
	t.Helper()
	// The logger is found as a user would: by its environment in /proc.
	entries, err := filepath.Glob("/proc/[0-9]*/environ")
	must(t, err)
	for _, path := range entries {
		environment, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(environment), "\x00"), loggerDir+"="+dir) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(path, "/proc/%d/environ", &pid); err == nil {
			process, err := os.FindProcess(pid)
			must(t, err)
			_ = process.Kill()
		}
	}
}

// killAtRandom kills the agent and the logger in turn while print prints numbered
// lines on both streams, then lets everything finish.
func killAtRandom(t *testing.T, p plan, kills int) (printed map[string]int) {
	t.Helper()
	root := spool.Root(p.Dir)
	c := root.Container(p.ID)
	agent := agentProcess(t, p)
	until(t, "the container's pipes", c.Exists)
	w := openShim(t, pipesOf(c))
	stop := make(chan struct{})
	type count struct {
		stream string
		lines  int
	}
	counts := make(chan count, 2)
	for stream, f := range map[string]*os.File{"stdout": w.stdout, "stderr": w.stderr} {
		go func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					counts <- count{stream, n}
					return
				default:
				}
				if _, err := fmt.Fprintf(f, "%s %d\n", stream, n); err != nil {
					t.Error(err)
				}
				if n%500 == 0 {
					pause := time.NewTimer(time.Duration(rand.IntN(30)) * time.Millisecond)
					<-pause.C
				}
			}
		}()
	}
	for kill := range kills {
		pause := time.NewTimer(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		<-pause.C
		if kill%2 == 0 {
			must(t, agent.Process.Kill())
			_ = agent.Wait()
			agent = agentProcess(t, p)
		} else {
			killLogger(t, p.Dir)
		}
	}
	close(stop)
	printed = map[string]int{}
	for range 2 {
		c := <-counts
		printed[c.stream] = c.lines
	}
	until(t, "the logger", func() bool { alive, err := root.LoggerAlive(); must(t, err); return alive })
	w.close()
	must(t, c.SetOver())
	must(t, agent.Wait())
	return printed
}

// numbered checks that lines hold each stream's numbers in order, all and once.
func numbered(t *testing.T, lines []string, printed map[string]int) {
	t.Helper()
	next := map[string]int{}
	for _, line := range lines {
		stream, number, _ := strings.Cut(line, " ")
		if number != fmt.Sprint(next[stream]) {
			t.Fatalf("after %s %d comes %q", stream, next[stream]-1, line)
		}
		next[stream]++
	}
	for stream, want := range printed {
		if next[stream] != want || want == 0 {
			t.Errorf("%s: %d lines were printed, %d arrived", stream, want, next[stream])
		}
	}
}

// TestKilledAtAnyMomentEveryLineArrivesOnce kills agent and logger, with a server
// that breaks connections before and after it has stored a batch.
func TestKilledAtAnyMomentEveryLineArrivesOnce(t *testing.T) {
	s := newServer(t)
	s.faulty.Store(true)
	p := plan{Dir: t.TempDir(), Files: t.TempDir(), Endpoint: s.URL, ID: "c1", Order: order("max-buffer-size", "10g")}
	printed := killAtRandom(t, p, 12)
	numbered(t, s.messages(t, streamOf), printed)
	t.Logf("%v lines", printed)
}

func TestKilledAtAnyMomentAFileHasEveryLineOnce(t *testing.T) {
	p := plan{Dir: t.TempDir(), Files: t.TempDir(), Endpoint: "http://127.0.0.1:1", ID: "c1",
		Order: Order{TaskID: "0123", Container: "web", Options: map[string]string{"max-size": "1g"}}}
	printed := killAtRandom(t, p, 8)
	var lines []string
	for _, e := range readEntries(t, FilePath(p.Files, "0123", "web")) {
		lines = append(lines, strings.TrimSuffix(e.Log, "\n"))
	}
	numbered(t, lines, printed)
}
