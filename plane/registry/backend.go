package registry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/reference"
	"github.com/sirupsen/logrus"

	"github.com/berthhq/berth/protocol/keyfile"
)

// backend is the distribution registry on one folder: its HTTP face, and beneath
// it the same storage for what HTTP cannot ask.
type backend struct {
	app       *handlers.App
	namespace distribution.Namespace
	driver    driver.StorageDriver
	root      string
}

func newBackend(ctx context.Context, root string) (b *backend, err error) {
	// The library logs through the process-wide logrus logger, a line or more a
	// request. Failures reach our own log by way of the answers.
	logrus.SetLevel(logrus.PanicLevel)

	secret, err := loadSecret(filepath.Join(root, "upload.key"))
	if err != nil {
		return nil, err
	}
	files := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	namespace, err := storage.NewRegistry(ctx, files, storage.EnableDelete)
	if err != nil {
		return nil, fmt.Errorf("registry storage: %w", err)
	}
	// The library answers a configuration it dislikes with a panic.
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("registry: %v", p)
		}
	}()
	return &backend{app: handlers.NewApp(ctx, settings(root, secret)), namespace: namespace, driver: files, root: root}, nil
}

func settings(root, secret string) *configuration.Configuration {
	c := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem": {"rootdirectory": root, "maxthreads": 100},
		"delete":     {"enabled": true},
		"redirect":   {"disable": true},
		"maintenance": {"uploadpurging": map[any]any{
			"enabled": true, "age": "24h", "interval": "6h", "dryrun": false,
		}},
	}}
	c.HTTP.Secret = secret
	c.HTTP.RelativeURLs = true
	return c
}

func (b *backend) close() error {
	if err := b.app.Shutdown(); err != nil {
		return fmt.Errorf("close registry: %w", err)
	}
	return nil
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.app.ServeHTTP(w, r) }

func (b *backend) repository(ctx context.Context, path string) (distribution.Repository, error) {
	name, err := reference.WithName(path)
	if err != nil {
		return nil, err
	}
	return b.namespace.Repository(ctx, name)
}

// repositoryFolder is where the storage layout of distribution (version 2 since
// 2014) keeps a repository, relative to the root.
func repositoryFolder(path string) string { return "/docker/registry/v2/repositories/" + path }

// loadSecret reads the 32 random bytes of the file as hex text, or makes them.
func loadSecret(file string) (string, error) {
	text, err := keyfile.ReadOrMake(file, func() ([]byte, error) {
		var key [32]byte
		rand.Read(key[:]) // never fails
		return hex.AppendEncode(nil, key[:]), nil
	})
	if err == nil && len(text) != 64 {
		err = fmt.Errorf("%s is damaged: it should hold 64 characters, not %d; remove it to get a new one", file, len(text))
	}
	return string(text), err
}
