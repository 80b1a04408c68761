// Package hostsfile keeps names of load balancers in the machine's hosts file, so that
// `curl http://NAME` works there without any set-up. Each line that is ours ends with a
// mark that names the data folder it belongs to: several berths share a file, and
// nothing else in it is touched.
package hostsfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"github.com/berthhq/berth/domain/discovery"
)

// Path of the machine's hosts file.
const Path = "/etc/hosts"

// Block is the lines of one data folder.
type Block struct {
	Path  string // of the hosts file
	Owner string // the data folder
}

// mark ends a line of ours, before the data folder.
const mark = " # berth "

// heading is the first line of a block, before its mark.
const heading = "# Load balancers. berth writes these lines and removes them."

// Write makes the block name what is given; a block that names nothing is not there.
// Names that berth did not make up are left out.
func (b Block) Write(names []discovery.Name) error {
	if strings.ContainsAny(b.Owner, "\r\n") {
		return fmt.Errorf("the data folder %q can't be named in a hosts file", b.Owner)
	}
	var lines []string
	for _, n := range names {
		if !n.Generated || !discovery.IsDomain(n.Name) || !strings.Contains(n.Name, ".") {
			continue
		}
		for _, a := range n.Addresses {
			lines = append(lines, line(a, n.Name)+mark+b.Owner)
		}
	}
	if len(lines) > 0 {
		lines = append([]string{heading + mark + b.Owner}, lines...)
	}
	return rewrite(b.Path, func(owner string) bool { return owner == b.Owner }, lines)
}

func line(a netip.Addr, name string) string { return a.String() + "\t" + name }

// Remove removes the block.
func (b Block) Remove() error { return b.Write(nil) }

// Sweep removes the blocks of data folders that are not alive.
func Sweep(path string, alive func(owner string) bool) error {
	return rewrite(path, func(owner string) bool { return !alive(owner) }, nil)
}

// rewrite puts lines in place of those whose owners match. The file stays the one it
// is, with its mode: it may be mounted by itself, as in containers. It is locked
// meanwhile, and written from the first place on that differs.
func rewrite(path string, match func(owner string) bool, lines []string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	have, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	want := changed(have, match, lines)
	same := common(have, want)
	if same == len(have) && same == len(want) {
		return nil
	}
	_, err = f.WriteAt(want[same:], int64(same))
	return errors.Join(err, f.Truncate(int64(len(want))))
}

// changed is a file's text without the lines whose owners match, and the new lines
// where the first of those was, or else at the end.
func changed(text []byte, match func(owner string) bool, lines []string) []byte {
	var out bytes.Buffer
	put := func() {
		for _, l := range lines {
			out.WriteString(l + "\n")
		}
		lines = nil
	}
	for l := range bytes.Lines(text) {
		if owner, ours := ownerOf(string(l)); ours && match(owner) {
			put()
			continue
		}
		out.Write(l)
	}
	if len(lines) > 0 && out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	put()
	return out.Bytes()
}

// ownerOf is the data folder that a line of ours belongs to.
func ownerOf(line string) (owner string, ours bool) {
	line = strings.TrimRight(line, "\r\n")
	at := strings.Index(line, mark)
	if at < 0 {
		return "", false
	}
	return line[at+len(mark):], true
}

// common is how many bytes two texts begin with.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
