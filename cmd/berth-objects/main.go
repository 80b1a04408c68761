// Command berth-objects keeps S3's buckets and objects: files of a folder, behind
// the S3 protocol, on a unix socket that only berth can open. `berth storage` starts
// it; plane/objects speaks to it.
//
// It is a program and a module of its own, so that what it is made of is not in
// berth: see docs/rfd/0006-objects.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/s3api/middlewares"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "berth-objects:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. What its callers sign with is in the environment.
func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: berth-objects FOLDER SOCKET, both absolute; `berth storage` starts it")
	}
	key := middlewares.RootUserConfig{Access: os.Getenv("BERTH_OBJECTS_KEY_ID"), Secret: os.Getenv("BERTH_OBJECTS_SECRET")}
	o, err := open(args[0], key)
	if err != nil {
		return err
	}
	defer o.backend.Shutdown()
	return o.serve(ctx, args[1])
}
