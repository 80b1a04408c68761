package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofiber/fiber/v3"
)

// lasting syncs an object that was written before its writer is told so: the
// backend leaves that to the kernel.
func lasting(buckets string) fiber.Handler {
	return func(c fiber.Ctx) error {
		if err := c.Next(); err != nil {
			return err
		}
		method, status := c.Method(), c.Response().StatusCode()
		if method != http.MethodPut && method != http.MethodPost || status >= http.StatusMultipleChoices {
			return nil
		}
		return syncUp(buckets, filepath.Join(buckets, filepath.FromSlash(strings.Trim(c.Path(), "/"))))
	}
}

// syncUp syncs a file and the folders above it, as far as top. What is not there,
// as a part of a multipart upload, is no file of its own yet.
func syncUp(top, path string) error {
	for ; path != top && strings.HasPrefix(path, top); path = filepath.Dir(path) {
		switch err := syncFile(path); {
		case os.IsNotExist(err):
			return nil
		case err != nil:
			return err
		}
	}
	return syncFile(top)
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
