package identity_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// berth is one `berth up`, and AWS's clients of it.
type berth struct {
	program, data string
	listen        string
	up            *exec.Cmd
	ended         chan error

	vars map[string]string // what `berth env` says

	// clients of the account's root
	ecs     *ecs.Client
	logs    *cloudwatchlogs.Client
	iam     *iam.Client
	sts     *sts.Client
	objects *s3.Client
}

// startBerth starts berth on a port and data folder of its own.
func startBerth(data string, flags ...string) (*berth, error) {
	program, err := filepath.Abs("../../bin/berth")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	b := &berth{program: program, data: data}
	if b.listen, err = freeAddress(); err != nil {
		return nil, err
	}
	return b, b.start(flags...)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (b *berth) start(flags ...string) error {
	b.up = exec.Command(b.program, append([]string{"up", "--data", b.data, "--listen", b.listen}, flags...)...)
	b.up.Stderr = os.Stderr
	if os.Getenv("IDENTITY_LOG") == "" {
		b.up.Stderr = nil
	}
	out, err := b.up.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.up.Start(); err != nil {
		return err
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	b.ended = ended
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "berth is ready" {
				close(ready)
			}
		}
		ended <- b.up.Wait()
	}()
	select {
	case <-ready:
		return b.connect()
	case err := <-ended:
		return fmt.Errorf("berth up ended: %w; its roles wrote to %s/run", err, b.data)
	}
}

// connect makes the clients from what `berth env` says.
func (b *berth) connect() error {
	text, err := exec.Command(b.program, "env", "--data", b.data).Output()
	if err != nil {
		return err
	}
	b.vars = map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		b.vars[name] = strings.Trim(value, "'")
	}
	c := b.config()
	b.ecs, b.logs, b.iam, b.sts, b.objects = ecs.NewFromConfig(c), cloudwatchlogs.NewFromConfig(c), iam.NewFromConfig(c), sts.NewFromConfig(c), objectsOf(c)
	return nil
}

// config is that of the account's root.
func (b *berth) config() aws.Config {
	return b.configOf(b.vars["AWS_ACCESS_KEY_ID"], b.vars["AWS_SECRET_ACCESS_KEY"], "")
}

// configOf is that of whose the keys are.
func (b *berth) configOf(id, secret, token string) aws.Config {
	return aws.Config{
		Region: b.vars["AWS_REGION"], BaseEndpoint: aws.String(b.vars["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	}
}

func objectsOf(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// stop ends berth as an operator does, and waits for its end.
func (b *berth) stop() error {
	if err := b.up.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-b.ended
}

// forget deletes all that berth kept.
func (b *berth) forget() error {
	out, err := exec.Command(b.program, "down", "--data", b.data, "--forget").CombinedOutput()
	if err != nil {
		return fmt.Errorf("berth down: %w: %s", err, out)
	}
	return nil
}

// end stops and forgets, and tells what is left all the same.
func (b *berth) end() error { return errors.Join(b.stop(), b.forget(), b.gone()) }

// gone waits until no process is left of this berth: the one that records logs
// ends by itself.
func (b *berth) gone() error {
	tick, end := time.NewTicker(50*time.Millisecond), time.After(15*time.Second)
	defer tick.Stop()
	for {
		left, err := b.processes()
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("berth ended and left %q", left)
		}
	}
}

// processes are the command lines that name the data folder.
func (b *berth) processes() (lines []string, err error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file) // an error: it ended meanwhile
		if text := strings.ReplaceAll(string(line), "\x00", " "); err == nil && strings.Contains(text, b.data) {
			lines = append(lines, text)
		}
	}
	return lines, err
}

// command is `berth WORDS...` for this berth.
func (b *berth) command(ctx context.Context, words ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, b.program, words...)
	c.Env = append(os.Environ(), "BERTH_DATA="+b.data)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return c
}
