package main

import (
	"context"
	"os"

	"github.com/berthhq/berth/plane/registry"
)

// storageCommand serves images until it is told to stop.
func storageCommand(ctx context.Context, args []string) error {
	fs, data := flags("storage")
	socket := fs.String("socket", "", "socket to serve on; default DATA/storage.sock")
	level := fs.String("log-level", "info", "debug, info, warn or error")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *socket == "" {
		*socket = *data + "/storage.sock"
	}
	if err := os.MkdirAll(*data, 0o700); err != nil {
		return err
	}
	r, err := registry.Open(registry.Config{Root: *data + "/images", Log: logger(*level)})
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Serve(ctx, *socket)
}
