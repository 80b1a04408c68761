package kill

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berthhq/berth/conformance/images"
)

const (
	program = "../../bin/berth"
	// imageCount is how many names the image has: each is pulled when it is first used.
	imageCount = 20
)

func imageName(n int) string { return fmt.Sprintf("busybox:%d", n) }

// house is a berth of its own on this machine.
type house struct {
	t       *testing.T
	data    string // berth's folder
	shared  string // a folder that tasks mount
	listen  string
	up      *exec.Cmd
	ended   chan struct{} // closed when up has
	ecs     *ecs.Client
	logs    *cloudwatchlogs.Client
	subnets []string
	berth   string
	started int
}

// newHouse starts berth and puts an image in it.
func newHouse(t *testing.T, flags ...string) *house {
	t.Helper()
	h := site(t)
	h.start(flags...)
	h.furnish()
	return h
}

// site is where a berth can be started.
func site(t *testing.T) *house {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("containers need root: run the tests as root")
	}
	berth, err := filepath.Abs(program)
	if err == nil {
		_, err = os.Stat(berth)
	}
	if err != nil {
		t.Skipf("%v: run make build", err)
	}
	h := &house{t: t, data: t.TempDir(), shared: t.TempDir(), listen: freeAddress(t), berth: berth}
	t.Cleanup(h.tearDown)
	return h
}

// furnish waits for berth and gives it images and task definitions.
func (h *house) furnish() {
	h.t.Helper()
	h.ready()
	h.connect()
	busybox, err := images.Busybox(imageName(0))
	if err != nil {
		h.t.Skip(err)
	}
	for n := 1; n < imageCount; n++ {
		busybox.Names = append(busybox.Names, imageName(n))
	}
	archive := filepath.Join(h.t.TempDir(), "image.tar")
	if err := images.Write(archive, busybox); err != nil {
		h.t.Fatal(err)
	}
	h.command("image", "load", "--data", h.data, archive)
	h.define()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts `berth up`, whose output goes to a file of its own each time.
func (h *house) start(flags ...string) {
	h.t.Helper()
	h.started++
	out, err := os.Create(h.upLog())
	if err != nil {
		h.t.Fatal(err)
	}
	defer out.Close()
	h.up = exec.Command(h.berth, append([]string{"up", "--data", h.data, "--listen", h.listen}, flags...)...)
	h.up.Stdout, h.up.Stderr = out, out
	h.up.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := h.up.Start(); err != nil {
		h.t.Fatal(err)
	}
	up, ended := h.up, make(chan struct{})
	h.ended = ended
	go func() { _ = up.Wait(); close(ended) }()
}

func (h *house) upLog() string { return filepath.Join(h.shared, fmt.Sprintf("up.%d.log", h.started)) }

// ready waits until `berth up` says so.
func (h *house) ready() {
	h.t.Helper()
	h.until("berth is ready", time.Minute, func() error {
		select {
		case <-h.ended:
			said, _ := os.ReadFile(h.upLog())
			h.t.Fatalf("berth up ended:\n%s", said)
		default:
		}
		if said, _ := os.ReadFile(h.upLog()); !strings.Contains(string(said), "berth is ready") {
			return fmt.Errorf("said %q", said)
		}
		return nil
	})
}

// signal sends `berth up` a signal and waits for its end.
func (h *house) signal(s syscall.Signal) {
	h.t.Helper()
	if err := h.up.Process.Signal(s); err != nil {
		h.t.Fatal(err)
	}
	h.until("the end of berth up", 2*time.Minute, func() error {
		select {
		case <-h.ended:
			return nil
		default:
			return errors.New("it runs")
		}
	})
}

// command runs a berth command to its end.
func (h *house) command(args ...string) string {
	h.t.Helper()
	out, err := exec.Command(h.berth, args...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("berth %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (h *house) connect() {
	h.t.Helper()
	vars := map[string]string{}
	for line := range strings.Lines(h.command("env", "--data", h.data)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		vars[name] = value
	}
	config := aws.Config{
		Region: vars["AWS_REGION"], BaseEndpoint: aws.String("http://" + h.listen),
		Credentials: credentials.NewStaticCredentialsProvider(vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"], ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} }, // persist is ours
	}
	h.ecs, h.logs = ecs.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	all, err := ec2.NewFromConfig(config).DescribeSubnets(h.t.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range all.Subnets {
		h.subnets = append(h.subnets, *s.SubnetId)
	}
}

// tearDown ends berth and forgets it. What berth left running is told, and ended.
func (h *house) tearDown() {
	if h.t.Failed() {
		h.tell()
	}
	if _, err := os.Stat(filepath.Join(h.data, "lock")); err != nil {
		return // forgotten already
	}
	out, err := exec.Command(h.berth, "down", "--data", h.data).CombinedOutput()
	if err != nil {
		h.t.Errorf("berth down: %v\n%s", err, out)
	}
	h.nothingRuns()
	if out, err := exec.Command(h.berth, "down", "--data", h.data, "--forget").CombinedOutput(); err != nil {
		h.t.Errorf("berth down --forget: %v\n%s", err, out)
	}
}

// tell shows the ends of what berth's processes said.
func (h *house) tell() {
	files, _ := filepath.Glob(filepath.Join(h.data, "run", "*.log"))
	for _, f := range append(files, h.upLog()) {
		said, _ := os.ReadFile(f)
		h.t.Logf("%s:\n%s", filepath.Base(f), said[max(0, len(said)-6000):])
	}
}

// until polls until there is no error, and fails the test after the patience.
func (h *house) until(what string, patience time.Duration, ask func() error) {
	h.t.Helper()
	if err := poll(patience, ask); err != nil {
		h.t.Fatalf("waited %v for %s: %v", patience, what, err)
	}
}

func poll(patience time.Duration, ask func() error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		if err := ask(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// connected tells whether the server has the machine's session.
func (h *house) connected() error {
	resp, err := http.Get("http://" + h.listen + "/_berth/health?agents=1")
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%v %s", err, resp.Status)
	}
	return nil
}
