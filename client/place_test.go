package client

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestEnvFileIsReadByUsAndByAShell(t *testing.T) {
	dir := t.TempDir()
	want := Place{Endpoint: "http://127.0.0.1:4566", AccessKeyID: "AKIA", Secret: "a/b+c'd $e", Region: "eu-west-1"}
	if err := want.WriteEnv(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL", "")
	got, err := Find(dir)
	if err != nil || got != want {
		t.Errorf("got %+v %v", got, err)
	}
	if info, err := os.Stat(EnvFile(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	out, err := exec.Command("sh", "-c", ". "+EnvFile(dir)+"; printf %s \"$AWS_SECRET_ACCESS_KEY\"").Output()
	if err != nil || string(out) != want.Secret {
		t.Errorf("a shell read %q %v", out, err)
	}
}

func TestFindSaysWhatToDo(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "")
	if _, err := Find(t.TempDir()); err == nil || !strings.Contains(err.Error(), "berth up") {
		t.Errorf("got %v", err)
	}
}
