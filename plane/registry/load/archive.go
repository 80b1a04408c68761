package load

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
)

// maxDocument bounds the JSON files of an archive, in bytes. Manifests and configs
// of real images stay below a tenth of it.
const maxDocument = 16 << 20

// archive is a tar file with an index of its members, so that they can be read in
// any order and at the same time.
type archive struct {
	what      string // how errors name it
	file      *os.File
	temporary bool // the file is ours to remove
	members   map[string]member
}

// member is where a file's bytes are, or which other member it links to.
type member struct {
	offset, size int64
	link         string
}

func openArchive(file string) (*archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: an image archive is one file, as `docker save -o FILE IMAGE` writes it", file)
	}
	buffered := bufio.NewReader(f)
	head, _ := buffered.Peek(4)
	if compression(head) != "" {
		return spoolArchive(buffered, file)
	}
	plain, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	return indexArchive(plain, file, false)
}

// spoolArchive copies an archive, uncompressed, into a temporary file.
func spoolArchive(r io.Reader, what string) (*archive, error) {
	plain, err := decompress(r, what)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "berth-load-*")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, plain); err != nil {
		return nil, errors.Join(unpackFailure(what, err), f.Close(), os.Remove(f.Name()))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return indexArchive(f, what, true)
}

func unpackFailure(what string, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s is cut short: its compressed data ends too early", what)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return fmt.Errorf("%s is corrupt: its checksum is wrong", what)
	default:
		return fmt.Errorf("unpack %s: %w", what, err)
	}
}

// compression names how data is compressed, by its first bytes.
func compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	case bytes.HasPrefix(head, []byte("BZh")), bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X'}):
		return "unsupported"
	default:
		return ""
	}
}

func decompress(r io.Reader, what string) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(4)
	switch compression(head) {
	case "gzip":
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", what, err)
		}
		return z, nil
	case "zstd":
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", what, err)
		}
		return z.IOReadCloser(), nil
	case "unsupported":
		return nil, fmt.Errorf("%s is compressed with bzip2 or xz: unpack it, or compress it with gzip or zstd", what)
	default:
		return buffered, nil
	}
}

// indexArchive notes where each member is. It owns the file from now on.
func indexArchive(f *os.File, what string, temporary bool) (*archive, error) {
	a := &archive{what: what, file: f, temporary: temporary, members: map[string]member{}}
	if err := a.readIndex(); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *archive) readIndex() error {
	size, err := a.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if size == 0 {
		return fmt.Errorf("%s is empty", a.what)
	}
	reader := tar.NewReader(a.file)
	last := ""
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && last != "" {
			return fmt.Errorf("%s is cut short: it ends within or right after %s", a.what, last)
		}
		if err != nil && last == "" {
			return fmt.Errorf("%s is not an image archive: it does not begin like a tar file", a.what)
		}
		if err != nil {
			return fmt.Errorf("%s is corrupt after %s: %w", a.what, last, err)
		}
		last = header.Name
		if err := a.note(header, size); err != nil {
			return err
		}
	}
}

func (a *archive) note(header *tar.Header, archiveSize int64) error {
	where := path.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeReg:
		// The reader has read the header and nothing of the data.
		offset, err := a.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if offset+header.Size > archiveSize {
			return fmt.Errorf("%s is cut short: %s should have %d bytes, and only %d are there", a.what, header.Name, header.Size, archiveSize-offset)
		}
		a.members[where] = member{offset: offset, size: header.Size}
	case tar.TypeSymlink:
		a.members[where] = member{link: path.Join(path.Dir(where), header.Linkname)}
	case tar.TypeLink:
		a.members[where] = member{link: path.Clean(header.Linkname)}
	}
	return nil
}

// find follows links, at most a few, to a file.
func (a *archive) find(name string) (member, bool) {
	for range 4 {
		m, ok := a.members[path.Clean(name)]
		if !ok || m.link == "" {
			return m, ok
		}
		name = m.link
	}
	return member{}, false
}

func (a *archive) section(m member) *io.SectionReader {
	return io.NewSectionReader(a.file, m.offset, m.size)
}

// document reads a small file as JSON into v.
func (a *archive) document(name string, v any) ([]byte, error) {
	m, ok := a.find(name)
	if !ok {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if m.size > maxDocument {
		return nil, fmt.Errorf("%s has %d bytes, which no image needs", name, m.size)
	}
	text, err := io.ReadAll(a.section(m))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("%s is not valid JSON: %w", name, err)
	}
	return text, nil
}

func (a *archive) close() {
	_ = a.file.Close()
	if a.temporary {
		_ = os.Remove(a.file.Name())
	}
}

// pictures finds the images of the archive. The processor chooses among platforms
// where an archive lists more than it holds.
func (a *archive) pictures(processor string) ([]*picture, error) {
	_, isLayout := a.find("index.json")
	_, isDocker := a.find("manifest.json")
	var (
		found []*picture
		err   error
	)
	switch {
	case isLayout:
		found, err = a.fromLayout(processor)
	case isDocker:
		found, err = a.fromDocker()
	default:
		return nil, fmt.Errorf("%s is not an image archive: it has neither an index.json (OCI) nor a manifest.json (docker save)", a.what)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is corrupt, nothing was loaded: %w", a.what, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no image", a.what)
	}
	return found, nil
}
