package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/berthhq/berth/plane/objects"
	"github.com/berthhq/berth/plane/registry"
)

// storageCommand serves images and objects until it is told to stop.
func storageCommand(ctx context.Context, args []string) error {
	fs, data := flags("storage")
	socket := fs.String("socket", "", "socket to serve images on; default DATA/storage.sock")
	s3 := fs.String("objects", "", "socket to serve objects on; default DATA/objects.sock")
	level := fs.String("log-level", "info", "debug, info, warn or error")
	if err := parse(fs, args); err != nil {
		return err
	}
	root, err := filepath.Abs(*data) // sockets and objects are named by whole paths
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	images, things := storageSocket(root, *socket, "storage.sock"), storageSocket(root, *s3, "objects.sock")
	log := logger(*level)
	if program, err := objects.Installed(); err != nil {
		log.Warn("objects are not served", "error", err)
	} else {
		keeping, stop := context.WithCancel(ctx)
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			(&objects.Keeper{Program: program, Root: root + "/objects", Socket: things, Log: log}).Keep(keeping)
		}()
		defer func() { stop(); <-kept }()
	}
	return serveImages(ctx, root, images, log)
}

// storageSocket is an absolute path.
func storageSocket(data, given, byDefault string) string {
	if path, err := filepath.Abs(given); given != "" && err == nil {
		return path
	}
	return filepath.Join(data, byDefault)
}

func serveImages(ctx context.Context, data, socket string, log *slog.Logger) error {
	r, err := registry.Open(registry.Config{Root: data + "/images", Log: log})
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Serve(ctx, socket)
}
