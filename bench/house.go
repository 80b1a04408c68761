package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/berthhq/berth/client"
	"github.com/berthhq/berth/conformance/images"
)

// image is what containers run: the program of bench/probe, alone.
const image = "berth-bench:1"

// house is a whole berth on this machine, as `berth up` starts it.
type house struct {
	*process
	berth, data string
	archive     string // of the image
	client      *client.Client
}

// house starts berth for the first that needs it.
func (b *bench) house(ctx context.Context) (*house, error) {
	if b.up == nil {
		b.up = &house{berth: filepath.Join(b.bin, "berth"), data: filepath.Join(b.dir, "up"), archive: filepath.Join(b.dir, "image.tar")}
		b.noUp = b.up.open(ctx, b.dir)
	}
	return b.up, b.noUp
}

func (h *house) open(ctx context.Context, dir string) error {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	if h.process, err = start("up", dir, nil, h.berth, "up", "--data", h.data, "--listen", listen, "--log-level", "warn"); err != nil {
		return err
	}
	if err := h.until(ctx, func() error { return healthy(ctx, "http://"+listen, 1) }); err != nil {
		return err
	}
	place, err := client.Find(h.data)
	if err != nil {
		return err
	}
	h.client = client.New(place)
	if err := writeImage(ctx, dir, h.archive); err != nil {
		return err
	}
	return command(ctx, h.berth, "image", "load", "--data", h.data, h.archive)
}

func writeImage(ctx context.Context, dir, archive string) error {
	program := filepath.Join(dir, "probe")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "./bench/probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the probe: %w: %s", err, out)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	return images.Write(archive, images.Image{
		Names: []string{image}, Files: []images.File{{Path: "/probe", Data: data}}, Config: images.Config{Entrypoint: []string{"/probe"}},
	})
}

// close stops berth and forgets its data, of which some is mounted.
func (h *house) close() error {
	if h == nil || h.process == nil {
		return nil
	}
	return firstOf(h.process.close(), command(context.Background(), h.berth, "down", "--data", h.data, "--forget"))
}

// command runs a program to its end.
func command(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", args, err, out)
	}
	return nil
}
