// Package images builds container images for tests out of files of this machine,
// so that no test needs a registry elsewhere.
package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Image is what goes into an archive.
type Image struct {
	Names  []string // NAME:TAG, as in a task definition
	Config Config
	Files  []File
}

// Config is how the image's containers start, in the words of the OCI image
// configuration.
type Config struct {
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	Env        []string `json:",omitempty"`
	User       string   `json:",omitempty"`
	WorkingDir string   `json:",omitempty"`
}

// File is a file, a link or a folder of an image. A folder's path ends in a slash.
type File struct {
	Path string
	Data []byte
	Link string // target of a symbolic link; empty otherwise
	Mode int64  // 0 means 0755
}

// built is the creation time of every image, so that equal content has an equal
// digest.
var built = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Write writes the images as one docker archive that `berth image load` takes.
func Write(file string, images ...Image) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	err = write(tar.NewWriter(f), images)
	return errors.Join(err, f.Close())
}

func write(out *tar.Writer, images []Image) error {
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var entries []entry
	for _, img := range images {
		layer, err := layerOf(img.Files)
		if err != nil {
			return err
		}
		config, err := configOf(img.Config, layer)
		if err != nil {
			return err
		}
		e := entry{Config: hexOf(config) + ".json", RepoTags: img.Names, Layers: []string{hexOf(layer) + "/layer.tar"}}
		entries = append(entries, e)
		if err := errors.Join(put(out, e.Layers[0], layer), put(out, e.Config, config)); err != nil {
			return err
		}
	}
	manifest, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return errors.Join(put(out, "manifest.json", manifest), out.Close())
}

func configOf(c Config, layer []byte) ([]byte, error) {
	return json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": built, "config": c,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hexOf(layer)}},
	})
}

func layerOf(files []File) ([]byte, error) {
	var buffer bytes.Buffer
	out := tar.NewWriter(&buffer)
	for _, f := range withFolders(files) {
		h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, ModTime: built, Format: tar.FormatPAX}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		switch {
		case f.Link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
		case strings.HasSuffix(f.Path, "/"):
			h.Typeflag = tar.TypeDir
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(f.Data))
		}
		if err := out.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := out.Write(f.Data); err != nil {
			return nil, err
		}
	}
	return buffer.Bytes(), out.Close()
}

// withFolders adds the folders that files lie in, before them.
func withFolders(files []File) []File {
	given := map[string]bool{}
	for _, f := range files {
		given[f.Path] = true
	}
	var all []File
	for _, f := range files {
		for dir := path.Dir(strings.TrimSuffix(f.Path, "/")); dir != "/" && dir != "."; dir = path.Dir(dir) {
			if !given[dir+"/"] {
				given[dir+"/"] = true
				all = append(all, File{Path: dir + "/"})
			}
		}
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return append(all, files...)
}

func put(out *tar.Writer, name string, data []byte) error {
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: built}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	_, err := out.Write(data)
	return err
}

func hexOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// Busybox is an image of this machine's /bin/busybox (package busybox-static) with
// a link for each of its commands, and more files where a test needs them. The
// error says what to install when it is missing.
func Busybox(name string, more ...File) (Image, error) {
	const binary = "/bin/busybox"
	data, err := os.ReadFile(binary)
	if err != nil {
		return Image{}, fmt.Errorf("%w: apt-get install busybox-static", err)
	}
	if !isStatic(binary) {
		return Image{}, fmt.Errorf("%s needs shared libraries: apt-get install busybox-static", binary)
	}
	list, err := exec.Command(binary, "--list").Output()
	if err != nil {
		return Image{}, fmt.Errorf("%s --list: %w", binary, err)
	}
	files := []File{
		{Path: binary, Data: data},
		{Path: "/tmp/", Mode: 0o1777}, {Path: "/root/", Mode: 0o700}, {Path: "/proc/"}, {Path: "/sys/"}, {Path: "/dev/"},
		{Path: "/etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")},
		{Path: "/etc/group", Mode: 0o644, Data: []byte("root:x:0:\nnogroup:x:65534:\n")},
	}
	for command := range strings.FieldsSeq(string(list)) {
		if command != "busybox" {
			files = append(files, File{Path: "/bin/" + command, Link: "busybox"})
		}
	}
	return Image{
		Names: []string{name}, Files: append(files, more...),
		Config: Config{Cmd: []string{"sh"}, Env: []string{"PATH=/bin"}},
	}, nil
}
