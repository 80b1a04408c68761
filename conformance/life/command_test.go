package life_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berthhq/berth/conformance/images"
)

// says runs a command of ours to its end.
func (b *berth) says(t *testing.T, words ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	c := b.Command(t.Context(), words...)
	c.Stdout, c.Stderr = &o, &e
	err := c.Run()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), o.String(), e.String()
}

func TestBerthRun(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"EC2": nil, "Fargate": {"--fargate"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := append(append([]string{"run", shell}, flags...), "--", "sh", "-c", "echo one; echo two; uname -a; exit 9")
			code, out, errs := here.says(t, words...)
			if code != 9 || !strings.HasPrefix(out, "one\ntwo\nLinux") || strings.Count(out, "\n") != 3 {
				t.Errorf("exit %d\n%s\n%s", code, out, errs)
			}
		})
	}
	t.Run("success", func(t *testing.T) {
		t.Parallel()
		if code, out, errs := here.says(t, "run", probe, "--", "exit", "0"); code != 0 || out != "" {
			t.Errorf("exit %d\n%s\n%s", code, out, errs)
		}
	})
	t.Run("no image", func(t *testing.T) {
		t.Parallel()
		code, _, errs := here.says(t, "run", "nobody:7")
		if code != 1 || !strings.Contains(errs, "CannotPullContainerError") {
			t.Errorf("exit %d\n%s", code, errs)
		}
	})
	t.Run("no room", func(t *testing.T) {
		t.Parallel()
		code, _, errs := here.says(t, "run", shell, "--cpu", "10240", "--memory", "512")
		if code != 1 || !strings.Contains(errs, "RESOURCE:CPU") {
			t.Errorf("exit %d\n%s", code, errs)
		}
	})
	t.Run("misuse", func(t *testing.T) {
		t.Parallel()
		if code, _, errs := here.says(t, "run"); code != 2 || !strings.Contains(errs, "usage: berth run") {
			t.Errorf("exit %d\n%s", code, errs)
		}
	})
}

// TestBerthRunPrintsEverything: more lines than a page of events holds, a line longer
// than an event may be, bytes that are no text, and no newline at the end.
func TestBerthRunPrintsEverything(t *testing.T) {
	t.Parallel()
	code, out, errs := here.says(t, "run", shell, "--", "sh", "-c", `seq 1 25000; head -c 300000 /dev/zero | tr '\0' x; echo; printf '\377 end'`)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != 0 || len(lines) < 25002 {
		t.Fatalf("exit %d, %d lines\n%s", code, len(lines), errs)
	}
	for i, line := range lines[:25000] {
		if line != fmt.Sprint(i+1) {
			t.Fatalf("line %d is %q", i+1, line)
		}
	}
	if long := strings.Join(lines[25000:len(lines)-1], ""); long != strings.Repeat("x", 300000) {
		t.Errorf("a line of 300000 came as %d", len(long))
	}
	if last := lines[len(lines)-1]; last != "\ufffd end" {
		t.Errorf("last line %q", last)
	}
}

// TestBerthRunStreams sees lines while the task runs, and stops it as Ctrl-C does.
func TestBerthRunStreams(t *testing.T) {
	t.Parallel()
	var out safeBuffer
	c := here.Command(t.Context(), "run", shell, "--", "sh", "-c", "trap 'exit 0' TERM; echo first; while :; do usleep 20000; done")
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first line", func() bool { return strings.Contains(out.String(), "first\n") })
	_, arn, _ := strings.Cut(out.String(), "task ")
	arn, _, _ = strings.Cut(arn, "\n")
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if failed := new(exec.ExitError); !errors.As(c.Wait(), &failed) || failed.ExitCode() != 130 {
		t.Errorf("interrupted: %v\n%s", failed, out.String())
	}
	here.stopped(t, arn)
}

func TestBerthLogs(t *testing.T) {
	t.Parallel()
	arn := here.run(t, onEC2(sh("app", "echo from app; sleep 3; echo late"), helper(sh("side", "echo from side"))))
	code, followed, errs := here.says(t, "logs", "-f", id(arn))
	if code != 0 || strings.Count(followed, "app | ") != 2 || !strings.Contains(followed, "side | from side\n") || !strings.Contains(followed, "app | late\n") {
		t.Errorf("exit %d\n%s%s", code, followed, errs)
	}
	if code, all, _ := here.says(t, "logs", arn); code != 0 || strings.Count(all, "\n") != strings.Count(followed, "\n") {
		t.Errorf("exit %d\n%s", code, all)
	}
	if code, _, errs := here.says(t, "logs", strings.Repeat("0", 32)); code != 1 || !strings.Contains(errs, "no task") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

// TestBerthLogsOfAService: every task's lines, each marked with its task.
func TestBerthLogsOfAService(t *testing.T) {
	t.Parallel()
	def, name := here.register(t, onEC2(sh("app", "echo one line; exec sleep 600"))), "printing"
	if _, err := here.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: &name, TaskDefinition: &def, DesiredCount: aws.Int32(2)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := here.ecs.DeleteService(context.WithoutCancel(t.Context()), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)}); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "a line of each task", func() bool {
		_, out, _ := here.says(t, "logs", name)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		return len(lines) == 2 && strings.HasSuffix(lines[0], " | one line") && strings.HasSuffix(lines[1], " | one line") && lines[0] != lines[1]
	})
	if code, _, errs := here.says(t, "logs", "no-such-service"); code != 1 || !strings.Contains(errs, "Service not found") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

// TestBerthEnv has a shell read what `berth env` prints.
func TestBerthEnv(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `eval "$(`+here.Program+` env --data `+here.Data+`)"; echo $AWS_ENDPOINT_URL $AWS_REGION $AWS_DEFAULT_REGION ${AWS_ACCESS_KEY_ID:+key} ${AWS_SECRET_ACCESS_KEY:+secret}`).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "http://"+here.Listen+" us-east-1 us-east-1 key secret" {
		t.Errorf("%q %v", got, err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(here.Data, "env"), &st); err != nil || st.Mode&0o777 != 0o600 {
		t.Errorf("mode %o %v", st.Mode, err)
	}
	if code, _, errs := here.says(t, "env", "--data", t.TempDir()); code != 1 || !strings.Contains(errs, "berth up") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

func TestBerthDoctor(t *testing.T) {
	t.Parallel()
	code, out, _ := here.says(t, "doctor")
	says(t, out, "runc", "runsc", "overlay", "root")
	if (code == 0) == strings.Contains(out, "LACKS") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := here.says(t, "doctor", "--output", "json"); !strings.HasPrefix(out, `[{"need":"root","ok":true`) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestCorruptArchives(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[2000] ^= 0xff // inside the first layer, whose digest is then another
	for name, data := range map[string][]byte{"not an archive": []byte("hello"), "cut short": whole[:len(whole)/2], "flipped": flipped, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "broken.tar")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			image := "broken-" + strings.ReplaceAll(name, " ", "-") + ":1"
			code, out, errs := here.says(t, "image", "load", file, image)
			if code != 1 || out != "" || !strings.Contains(errs, file) {
				t.Errorf("exit %d\n%s\n%s", code, out, errs)
			}
			end := here.stopped(t, here.run(t, onEC2(container("app", image))))
			says(t, *end.StoppedReason, "CannotPullContainerError")
		})
	}
	if code, _, errs := here.says(t, "image", "load", "/nowhere.tar"); code != 1 || !strings.Contains(errs, "/nowhere.tar") {
		t.Errorf("exit %d\n%s", code, errs)
	}
}

func TestBerthFindsItselfByTheEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "one.tar")
	if err := images.Write(file, images.Image{Names: []string{"found:1"}, Files: busybox(t)}); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), here.Program, "image", "load", file)
	c.Env = append(here.Environ(), "BERTH_DATA="+t.TempDir())
	if out, err := c.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "loaded found:1 sha256:") {
		t.Errorf("%v: %s", err, out)
	}
}
