package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

// mostCopied is AWS's limit of a copy in one request, in bytes.
const mostCopied = 5 << 30

const (
	region     = "us-east-1" // that requests on the socket are signed for, whatever their bucket's
	healthPath = "/-/health" // no bucket has such a name

	mostConnections = 1024 // and requests, at a time
)

// bufferSize is what a copy of an object takes of memory, in bytes.
const bufferSize = 256 << 10

// mostActions bounds the file operations at a time, and so the threads they hold.
const mostActions = 256

// objects are the buckets of one folder. A process has at most one: the backend
// makes the folder its working directory.
type objects struct {
	server  *s3api.S3ApiServer
	backend *posix.Posix
	listens chan struct{} // closed once the socket is made
}

// open opens the folder, making it if need be. Its path is absolute. Callers sign
// with the key.
func open(root string, key middlewares.RootUserConfig) (*objects, error) {
	buckets, versions := filepath.Join(root, "buckets"), filepath.Join(root, "versions")
	for _, dir := range []string{buckets, versions} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("folder of objects: %w", err)
		}
	}
	o := &objects{listens: make(chan struct{})}
	keeper, sidecar, err := keeperOf(root, buckets)
	if err != nil {
		return nil, err
	}
	options := posix.PosixOpts{VersioningDir: versions, SideCarDir: sidecar, ValidateBucketNames: true, IOBufferSize: bufferSize, Concurrency: mostActions, CopyObjectThreshold: mostCopied}
	options.SetNewDirPerm(0o700)
	options.SetNewFilePerm(0o600)
	if o.backend, err = posix.New(buckets, keeper, options); err != nil {
		return nil, fmt.Errorf("open the folder of objects: %w", err)
	}
	caller := auth.NewIAMServiceSingle(auth.Account{Access: key.Access, Secret: key.Secret, Role: auth.RoleAdmin})
	// No keep-alive: what the server leaves unread of a body must never be taken for
	// another request.
	o.server, err = s3api.New(o.backend, key, region, caller, nil, nil, nil, nil,
		s3api.WithQuiet(), s3api.WithMiddleware("/", lasting(buckets)), s3api.WithDisableACL(), s3api.WithHealth(healthPath),
		s3api.WithConcurrencyLimiter(mostConnections, mostConnections), s3api.WithMpMaxParts(10000),
		s3api.WithSocketPerm(0o600), s3api.WithOnListen(func() { close(o.listens) }))
	if err != nil {
		return nil, fmt.Errorf("serve the folder of objects: %w", err)
	}
	return o, nil
}

// keeperOf chooses where the headers and tags of objects are kept: in extended
// attributes, or in files of a folder of their own where the file system has none.
func keeperOf(root, buckets string) (meta.MetadataStorer, string, error) {
	attributes := meta.XattrMeta{}
	if attributes.Test(buckets) == nil {
		return attributes, "", nil
	}
	dir := filepath.Join(root, "sidecar")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", fmt.Errorf("folder of objects: %w", err)
	}
	files, err := meta.NewSideCar(dir)
	return files, dir, err
}

// serve listens on a unix socket, an absolute path, that only this user can open,
// until ctx ends.
func (o *objects) serve(ctx context.Context, socket string) error {
	private, err := os.MkdirTemp(filepath.Dir(socket), ".s3-") // mode 0700: nobody else sees the socket being made
	if err != nil {
		return fmt.Errorf("socket of objects: %w", err)
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	ended := make(chan error, 1)
	go func() { ended <- o.server.ServeMultiPort([]string{made}) }()
	select {
	case err := <-ended:
		return fmt.Errorf("socket of objects: %w", err)
	case <-o.listens:
	}
	if err := os.Rename(made, socket); err != nil {
		return errors.Join(err, o.server.ShutDown(), <-ended)
	}
	select {
	case err := <-ended:
		return fmt.Errorf("socket of objects: %w", err)
	case <-ctx.Done():
	}
	err = o.server.ShutDown()
	<-ended // with the error that its listener was closed
	return err
}
