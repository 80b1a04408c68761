package registry_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// tool finds a client program, or says why its test is skipped.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (apt-get install %s)", name, pkg)
	}
	return path
}

func run(t *testing.T, stdin string, command ...string) string {
	t.Helper()
	out, err := tryRun(t, stdin, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

func tryRun(t *testing.T, stdin string, command ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "HOME="+shortDir(t), "DOCKER_HOST=unix:///nonexistent.sock", "DOCKER_CONFIG="+shortDir(t))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSkopeoCopiesInAndOut(t *testing.T) {
	skopeo := tool(t, "skopeo", "skopeo")
	h := newHarbor(t, "team/app")
	img := randomImage(t)
	dir := t.TempDir()
	path, err := layout.Write(filepath.Join(dir, "in"), empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	there := "docker://" + h.ref("team/app:v1").String()
	run(t, "", skopeo, "--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "AWS:"+h.token(), "oci:"+dir+"/in", there)
	run(t, "", skopeo, "--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", "AWS:"+h.token(), there, "oci:"+dir+"/out:v1")
	if got := h.images("team/app"); len(got) != 1 || strings.Join(got[0].Tags, " ") != "v1" {
		t.Errorf("listed %+v", got)
	}
	if out := run(t, "", skopeo, "list-tags", "--tls-verify=false", "--creds", "AWS:"+h.token(), "docker://"+h.ref("team/app").Context().String()); !strings.Contains(out, `"v1"`) {
		t.Error(out)
	}
	run(t, "", skopeo, "delete", "--tls-verify=false", "--creds", "AWS:"+h.token(), there)
	if got := h.images("team/app"); len(got) != 0 {
		t.Errorf("left after delete: %+v", got)
	}
	out, err := tryRun(t, "", skopeo, "inspect", "--tls-verify=false", there)
	if err == nil || !strings.Contains(out, "unauthorized: no basic auth credentials") {
		t.Errorf("without a password: %v %s", err, out)
	}
}

func TestDockerLogsIn(t *testing.T) {
	docker := tool(t, "docker", "docker-cli")
	h := newHarbor(t)
	out, err := tryRun(t, h.token(), docker, "login", "--username", "AWS", "--password-stdin", "http://"+h.host)
	if err != nil || !strings.Contains(out, "Login Succeeded") {
		t.Errorf("%v %s", err, out)
	}
	out, err = tryRun(t, "wrong", docker, "login", "--username", "AWS", "--password-stdin", "http://"+h.host)
	if err == nil || !strings.Contains(out, "401") {
		t.Errorf("a wrong password: %v %s", err, out)
	}
}
