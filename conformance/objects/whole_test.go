package objects_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// whole is `berth storage` and `berth server` as processes.
type whole struct {
	server, storage *exec.Cmd
	config          aws.Config
}

func write(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	return must[[]byte](t)(os.ReadFile(path))
}

func startWhole(t *testing.T, flags ...string) *whole {
	t.Helper()
	program := must[string](t)(filepath.Abs("../../bin/berth"))
	dir, err := os.MkdirTemp("", "b3")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	listen := l.Addr().String()
	l.Close()
	w := &whole{
		storage: role(t, program, "storage", "--data", dir+"/storage", "--socket", dir+"/i", "--objects", dir+"/o"),
		server: role(t, program, append([]string{"server", "--data", dir + "/server", "--listen", listen, "--storage", dir + "/i", "--objects", dir + "/o", "--env", dir},
			flags...)...),
	}
	until(t, func() error {
		answer, err := http.Get("http://" + listen + "/_berth/health")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	text := must[[]byte](t)(exec.Command(program, "env", "--data", dir).Output())
	vars := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		vars[name] = strings.Trim(value, "'")
	}
	w.config = aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + listen),
		Credentials: credentials.NewStaticCredentialsProvider(vars["AWS_ACCESS_KEY_ID"], vars["AWS_SECRET_ACCESS_KEY"], ""),
	}
	return w
}

func role(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make build", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("berth %s: %v", args[0], err)
		}
	})
	return cmd
}

// family are the ids of a process and its children.
func family(t *testing.T, cmd *exec.Cmd) []int {
	t.Helper()
	pids := []int{cmd.Process.Pid}
	for _, file := range must[[]string](t)(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", cmd.Process.Pid))) {
		for text := range strings.FieldsSeq(string(load(t, file))) {
			pids = append(pids, must[int](t)(strconv.Atoi(text)))
		}
	}
	return pids
}

// peak is the most memory that a process and its children had, in KiB.
func peak(t *testing.T, cmd *exec.Cmd) (total int) {
	t.Helper()
	for _, pid := range family(t, cmd) {
		for line := range strings.Lines(string(load(t, fmt.Sprintf("/proc/%d/status", pid)))) {
			var kib int
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
				total += kib
			}
		}
	}
	return total
}

// TestLargeObjectsTakeLittleMemory streams 300 MB in and out of whole processes.
func TestLargeObjectsTakeLittleMemory(t *testing.T) {
	w := startWhole(t)
	c := s3.NewFromConfig(w.config, func(o *s3.Options) { o.UsePathStyle = true })
	until(t, func() error {
		_, err := c.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(name)})
		return err
	})
	put(t, c, "small", random(t, 1000))
	get(t, c, "small")
	idle := [2]int{peak(t, w.server), peak(t, w.storage)}
	const size = 300 << 20
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), Body: io.LimitReader(zeros{}, size), ContentLength: aws.Int64(size)},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)))
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k")}))
	n := must[int64](t)(io.Copy(io.Discard, out.Body))
	out.Body.Close()
	grew := [2]int{peak(t, w.server) - idle[0], peak(t, w.storage) - idle[1]}
	t.Logf("at most %d and %d KiB; idle %v KiB, server and storage with its keeper", grew[0], grew[1], idle)
	if n != size || grew[0] > 32<<10 || grew[1] > 32<<10 {
		t.Errorf("%d bytes, grew by %v KiB", n, grew)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestTheKeeperComesBack: its end is not that of the images beside it.
func TestTheKeeperComesBack(t *testing.T) {
	w := startWhole(t)
	c := s3.NewFromConfig(w.config, func(o *s3.Options) { o.UsePathStyle = true; o.Retryer = aws.NopRetryer{} })
	until(t, func() error {
		_, err := c.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(name)})
		return err
	})
	put(t, c, "k", []byte("kept"))
	for _, pid := range family(t, w.storage)[1:] {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k")})
	refused(t, err, "ServiceUnavailable", "The keeper of objects does not answer")
	until(t, func() error {
		_, err := c.HeadBucket(context.Background(), &s3.HeadBucketInput{Bucket: aws.String(name)})
		if err == nil {
			_, err = c.HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("k")})
		}
		return err
	})
	if got := get(t, c, "k"); string(got) != "kept" {
		t.Errorf("got %q", got)
	}
}
