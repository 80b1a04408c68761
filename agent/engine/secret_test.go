package engine_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/agent/engine"
	"github.com/berthhq/berth/agent/runtime/runtimetest"
	"github.com/berthhq/berth/agent/secret"
	"github.com/berthhq/berth/agent/secret/secrettest"
	"github.com/berthhq/berth/domain/task"
	"github.com/berthhq/berth/domain/workload"
)

const password = "arn:aws:secretsmanager:us-east-1:000000000000:secret:password-AbCdEf"

// secretive has a house fetch secrets from a server that stands in for berth's.
func (h *house) secretive() *secrettest.Server {
	s := secrettest.New(h.t)
	h.adjust = func(c *engine.Config) {
		c.Secrets = &secret.Fetcher{API: s.Client(), Patience: &secret.Patience{}}
		c.SecretsEvery = 20 * time.Millisecond
	}
	return s
}

func asking(o *task.Order) *task.Order {
	o.ExecutionRole = secrettest.Role()
	o.Containers[0].Secrets = []workload.Secret{{Name: "PASSWORD", ValueFrom: password}}
	return o
}

// TestSecretsReachTheProgramOnly gives a container its secrets and environment
// files; nothing of them is in the data folder.
func TestSecretsReachTheProgramOnly(t *testing.T) {
	h := newHouse(t)
	s, value := h.secretive(), random()
	s.Secret(password, value)
	s.Object("bucket", "a.env", "FILE=from-the-file\nOWN=hidden\nPASSWORD=hidden")
	h.open()
	c := script("app", `echo "$FILE $OWN ${#PASSWORD}"; exec sleep 1000`)
	c.Environment = []workload.KeyValue{{Name: "OWN", Value: "own"}}
	c.EnvironmentFiles = []workload.EnvironmentFile{{Type: "s3", Value: "arn:aws:s3:::bucket/a.env"}}
	c.HealthCheck = &workload.HealthCheck{Command: []string{"CMD-SHELL", `test ${#PASSWORD} = 12`}, Interval: new(1)}
	o := asking(h.order(c))
	h.runs(o)
	h.printed(o, "app", "from-the-file own 12")
	runtimetest.Until(t, "what is executed to know the secret", func() bool { return h.Snapshots()[0].Containers[0].Health == task.Healthy })
	for _, dir := range []string{h.dir, h.config.Data} {
		if at := find(t, dir, value); at != "" {
			t.Errorf("the secret is in %s", at)
		}
	}
	h.stops(o)
	h.nothingLeft()
}

// find names a file below a folder that holds the text.
func find(t *testing.T, dir, text string) (at string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // it went meanwhile
		}
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(text)) {
			at = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestSecretsThatAreDenied stop a task before it has begun, in AWS's words.
func TestSecretsThatAreDenied(t *testing.T) {
	h := newHouse(t)
	s := h.secretive()
	s.Deny("secretsmanager:GetSecretValue", true)
	h.open()
	end := h.ends(asking(h.order(script("app", "exec sleep 1000"))))
	want := "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret " +
		password + " from secrets manager: AccessDeniedException: User: "
	if end.StopCode != task.StopTaskFailedToStart || !strings.HasPrefix(end.StoppedReason, want) {
		t.Errorf("%s: %s", end.StopCode, end.StoppedReason)
	}
	h.nothingLeft()
}

// TestSecretsAfterARestart are fetched again for a container that is made again.
func TestSecretsAfterARestart(t *testing.T) {
	h := newHouse(t)
	s := h.secretive()
	s.Secret(password, "hunter2")
	h.open()
	dir := t.TempDir()
	c := script("app", `echo "$PASSWORD"; while ! test -e /scratch/again; do usleep 10000; done; rm /scratch/again; exit 1`)
	c.RestartPolicy = &workload.RestartPolicy{Enabled: true, RestartAttemptPeriod: new(0)}
	c.MountPoints = []workload.MountPoint{{SourceVolume: "v", ContainerPath: "/scratch"}}
	o := asking(h.order(c))
	o.Volumes = hostVolume(dir)
	h.runs(o)
	h.printed(o, "app", "hunter2")
	h.close()
	s.Secret(password, "changed")
	h.open()
	h.must(os.WriteFile(dir+"/again", nil, 0o644))
	h.printed(o, "app", "changed")
	h.stops(o)
	h.nothingLeft()
}

// TestSecretFiles shows a container its secrets as files that change with them, for
// its own user only, on the host's kernel and behind one of its own.
func TestSecretFiles(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *house{"runc": newHouse, "gvisor": gvisorHouse} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			s := h.secretive()
			s.Secret(password, "first")
			h.open()
			c := script("app", `stat -c '%a %u' /run/secrets/PASSWORD; echo x > /run/secrets/y || echo kept out; while :; do cat /run/secrets/PASSWORD && echo; usleep 50000; done`)
			c.User, c.DockerLabels = "1234", map[string]string{"berth.secret-files": "/run/secrets"}
			o := asking(h.order(c))
			if name == "gvisor" {
				fargate(o)
			}
			h.runs(o)
			h.printed(o, "app", "400 1234")
			h.printed(o, "app", "kept out")
			h.printed(o, "app", "first")
			s.Secret(password, "second")
			h.printed(o, "app", "second")
			s.Deny("secretsmanager:GetSecretValue", true) // it keeps what it has
			s.Deny("secretsmanager:GetSecretValue", false)
			s.Secret(password, "third")
			h.printed(o, "app", "third")
			h.stops(o)
			h.nothingLeft()
		})
	}
}

// TestSecretFilesNeedAPath refuses labels that name no directory.
func TestSecretFilesNeedAPath(t *testing.T) {
	h := newHouse(t)
	h.secretive().Secret(password, "first")
	h.open()
	c := script("app", "exec sleep 1000")
	c.DockerLabels = map[string]string{"berth.secret-files": "secrets"}
	if end := h.ends(asking(h.order(c))); !strings.Contains(end.StoppedReason, "must be an absolute path") {
		t.Error(end.StoppedReason)
	}
	h.nothingLeft()
}

// TestKeysAreRenewedUnderTheirID serves a running task the new keys of its own role
// where it found the old ones, and never those of its execution role.
func TestKeysAreRenewedUnderTheirID(t *testing.T) {
	h := newHouse(t)
	s := h.secretive()
	s.Secret(password, "first")
	h.open()
	o := asking(h.order(script("app", "exec sleep 1000")))
	o.TaskRole = &task.Credentials{ID: "task-id", AccessKeyID: "ASIAOLD"}
	h.runs(o)
	for _, c := range []*task.Credentials{{ID: "task-id", AccessKeyID: "ASIANEW"}, {ID: "execution-id", AccessKeyID: "ASIAEXEC2"}} {
		h.must(h.Renew(o.ARN, c))
	}
	if got, arn, ok := h.Credentials("task-id"); !ok || arn != o.ARN || got.AccessKeyID != "ASIANEW" {
		t.Errorf("%+v of %s, %v", got, arn, ok)
	}
	if _, _, ok := h.Credentials("execution-id"); ok {
		t.Error("the execution role's keys are served")
	}
	runtimetest.Until(t, "the execution role's new keys to be used", func() bool {
		keys := h.ExecutionKeys(o.ARN)
		return keys != nil && keys.AccessKeyID == "ASIAEXEC2"
	})
	h.stops(o)
	if _, _, ok := h.Credentials("task-id"); ok {
		t.Error("a stopped task's keys are served")
	}
}
