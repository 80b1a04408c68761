package fields_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthhq/berth/conformance/images"
)

// update writes fields.tsv instead of comparing it.
var update = flag.Bool("update", false, "write fields.tsv anew")

// function is what the hooks of services name; it always says that it succeeded.
const function = "arn:aws:lambda:us-east-1:000000000000:function:hook"

// here is the berth that the test calls; TestMain starts and ends it.
var here *berth

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := withBerth(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withBerth(run func() int) (int, error) {
	if os.Geteuid() != 0 {
		return 0, fmt.Errorf("these tests start containers: run them as root")
	}
	dir, err := os.MkdirTemp("", "berth-fields")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"hookStatus": "SUCCEEDED"}`) }))
	defer hook.Close()
	if here, err = startBerth(filepath.Join(dir, "data"), "--hook", function+"="+hook.URL); err != nil {
		return 0, err
	}
	if err := here.load(filepath.Join(dir, "images.tar")); err != nil {
		return 0, err
	}
	if err := here.roles(context.Background()); err != nil {
		return 0, err
	}
	code := run()
	return code, here.End()
}

// load gives berth the image of the tests' tasks.
func (b *berth) load(archive string) error {
	box, err := images.Busybox("shell:1")
	if err != nil {
		return err
	}
	if err := images.Write(archive, box); err != nil {
		return err
	}
	return b.Load(archive)
}
