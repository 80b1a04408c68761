package life_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/berthhq/berth/conformance/images"
)

// Images of the tests' tasks.
const (
	probe = "probe:1" // our program alone
	shell = "shell:1" // busybox
)

// here is the berth that most tests share; TestMain starts and ends it.
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
	dir, err := os.MkdirTemp("", "berth-life")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	archive = filepath.Join(dir, "images.tar")
	if err := makeImages(dir, archive); err != nil {
		return 0, err
	}
	if here, err = startBerth(filepath.Join(dir, "data")); err != nil {
		return 0, err
	}
	if err := here.Load(archive); err != nil {
		return 0, err
	}
	// Tests mostly wait: more of them than processors may.
	if err := flag.Set("test.parallel", "6"); err != nil {
		return 0, err
	}
	code := run()
	return code, here.End()
}

// archive holds the images.
var archive string

func makeImages(dir, archive string) error {
	file, err := images.Program(dir, "./probe")
	if err != nil {
		return err
	}
	box, err := images.Busybox(shell)
	if err != nil {
		return err
	}
	return images.Write(archive, box, images.Image{
		Names: []string{probe}, Files: []images.File{file}, Config: images.Config{Entrypoint: []string{"/probe"}, Env: []string{"FROM=image"}},
	})
}
