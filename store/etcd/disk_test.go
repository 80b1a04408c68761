package etcd_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berthhq/berth/domain/cluster"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
	"github.com/berthhq/berth/store/etcd"
)

func put(s store.Store, arn, name string) error {
	_, err := s.Update(context.Background(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &cluster.Cluster{ARN: arn, Name: name})
		return nil
	})
	return err
}

func TestOneStoreAFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := etcd.Open(context.Background(), etcd.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another berth uses") {
		t.Errorf("a second opener got %v", err)
	}
	first.Close()
	second, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	second.Close()
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := put(s, "a", "a"); err != nil {
		t.Fatal(err)
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		info, err := d.Info()
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
}

func TestNothingListens(t *testing.T) {
	before := listening(t)
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if after := listening(t); len(after) > len(before) {
		t.Errorf("opening the store opened listeners: %v", after)
	}
}

// listening lists the inodes of this process's sockets that listen.
func listening(t *testing.T) (found []string) {
	t.Helper()
	mine := map[string]bool{}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if to, _ := os.Readlink(l); strings.HasPrefix(to, "socket:[") {
			mine[strings.Trim(to[len("socket:"):], "[]")] = true
		}
	}
	const listen, inodeField = "0A", 9
	for _, file := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile("/proc/self/net/" + file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if f := strings.Fields(line); len(f) > inodeField && f[3] == listen && mine[f[inodeField]] {
				found = append(found, f[1])
			}
		}
	}
	data, err := os.ReadFile("/proc/self/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 6 && f[3] == "00010000" && mine[f[6]] {
			found = append(found, line)
		}
	}
	return found
}

func TestShortOfDisk(t *testing.T) {
	dir := t.TempDir()
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(s, "a", "old"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	free := freeBytes(t, dir)
	for _, c := range []struct {
		name                   string
		lowWater               int64
		creates, updates, dels bool
	}{
		{"roomy", free / 2, true, true, true},
		{"low", free * 2, false, true, true},
		{"full", free * 8, false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir, LowWater: c.lowWater})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			expect := func(what string, err error, admitted bool) {
				t.Helper()
				if admitted != (err == nil) || err != nil && !fault.IsKind(err, fault.Unavailable) {
					t.Errorf("%s: %v", what, err)
				}
			}
			expect("create", put(s, "b"+c.name, ""), c.creates)
			expect("update", put(s, "a", c.name), c.updates)
			_, err = s.Update(context.Background(), func(tx *store.Tx) error {
				store.Clusters.Delete(tx, "a")
				return nil
			})
			expect("delete", err, c.dels)
			s.Close()
			restore(t, dir)
		})
	}
}

// restore puts back the record that TestShortOfDisk's cases work on.
func restore(t *testing.T, dir string) {
	t.Helper()
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: dir, LowWater: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := put(s, "a", "old"); err != nil {
		t.Fatal(err)
	}
}

func TestQuota(t *testing.T) {
	s, err := etcd.Open(context.Background(), etcd.Options{Dir: t.TempDir(), Quota: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := put(s, "a", "a"); !fault.IsKind(err, fault.Unavailable) || !strings.Contains(err.Error(), "the store holds") {
		t.Errorf("got %v", err)
	}
}

func freeBytes(t *testing.T, dir string) int64 {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	return int64(fs.Bavail) * fs.Bsize
}
