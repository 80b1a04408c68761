package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// docker is a dockerd of our own, beside any that the machine runs: its folders
// and its socket are the bench's, and it touches neither bridges nor firewall.
type docker struct {
	*process
	socket string
}

// startDocker starts it and loads the image; else it says why there is none.
func (b *bench) startDocker(ctx context.Context, archive string) (*docker, string) {
	program, err := exec.LookPath("dockerd")
	if err != nil {
		return nil, "docker is not installed"
	}
	dir := filepath.Join(b.dir, "docker")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err.Error()
	}
	d := &docker{socket: "unix://" + filepath.Join(dir, "docker.sock")}
	d.process, err = start("dockerd", dir, nil, program,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "run"), "--pidfile", filepath.Join(dir, "pid"),
		"--host", d.socket, "--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
	if err != nil {
		return nil, err.Error()
	}
	err = d.until(ctx, func() error { return d.command(ctx, "version") })
	if err == nil {
		err = d.command(ctx, "load", "--input", archive)
	}
	if err != nil {
		return nil, fmt.Sprintf("docker does not start here (%v)", firstOf(err, d.close()))
	}
	return d, ""
}

func (d *docker) command(ctx context.Context, args ...string) error {
	return command(ctx, append([]string{"docker", "--host", d.socket}, args...)...)
}

// run is one `docker run`, up to the program's first instruction.
func (d *docker) run(ctx context.Context, stamps, file string) (time.Duration, error) {
	begun := time.Now()
	if err := d.command(ctx, "run", "--rm", "--network", "none", "--volume", stamps+":/stamps", image, "stamp", "/stamps/"+file); err != nil {
		return 0, err
	}
	at, err := stamped(ctx, filepath.Join(stamps, file))
	return at.Sub(begun), err
}

func (d *docker) close() error {
	if d == nil {
		return nil
	}
	return d.process.close()
}
