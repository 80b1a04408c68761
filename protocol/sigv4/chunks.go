package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

const (
	maxChunkLine    = 4 << 10 // longest head of a chunk or line of a trailer
	maxTrailerLines = 32
)

// emptyHash is the hash of nothing, which stands in the text of every chunk.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// chunks reads a body of the form aws-chunked.
type chunks struct {
	flow  *Flow
	lines lines
	seal  *seal // nil for unsigned chunks
	left  int64 // of the whole body
	here  int64 // left of this chunk
	open  bool  // within a chunk, its end not yet read
	ended bool
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	for c.here == 0 {
		if c.ended {
			return 0, io.EOF
		}
		if err := c.turn(); err != nil {
			return 0, early(err)
		}
	}
	n, err := c.lines.Read(p[:min(int64(len(p)), c.here)])
	c.here -= int64(n)
	c.left -= int64(n)
	c.seal.add(p[:n])
	if n > 0 {
		err = nil // it comes again
	}
	return n, early(err)
}

// turn ends a chunk and begins the next. The last chunk is empty.
func (c *chunks) turn() error {
	if c.open {
		if err := c.shut(); err != nil {
			return err
		}
	}
	line, err := c.lines.next()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	signature, signed := strings.CutPrefix(extension, "chunk-signature=")
	if !signed && c.seal != nil {
		return mismatch("A chunk of the body is not signed.")
	}
	c.here, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.here < 0 || size[0] == '+' {
		return malformed("A chunk of the body has no valid size.")
	}
	if c.here > c.left {
		return malformed("The body is longer than x-amz-decoded-content-length.")
	}
	c.seal.begin(signature)
	if c.open = c.here > 0; !c.open {
		return c.end()
	}
	return nil
}

// shut reads what follows the data of a chunk.
func (c *chunks) shut() error {
	if line, err := c.lines.next(); err != nil || line != "" {
		return errors.Join(err, malformed("A chunk of the body does not end where it says."))
	}
	return c.seal.check()
}

// end reads the trailer after the last chunk.
func (c *chunks) end() error {
	c.ended = true
	if c.left > 0 {
		return malformed("The body is shorter than x-amz-decoded-content-length.")
	}
	if err := c.seal.check(); err != nil {
		return err
	}
	var text strings.Builder // of the trailer, as it is signed
	signature := ""
	for range maxTrailerLines {
		line, err := c.lines.next()
		if err == io.EOF || err == nil && line == "" {
			return c.close(text.String(), signature)
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		text.WriteString(name + ":" + value + "\n")
		if err := c.flow.trail(name, value); err != nil {
			return err
		}
	}
	return malformed("The trailer of the body is too long.")
}

func (c *chunks) close(trailer, signature string) error {
	if c.flow.Announced == nil {
		return nil
	}
	for _, name := range c.flow.Announced {
		if c.flow.Trailer[name] == nil {
			return malformed("The trailer lacks what x-amz-trailer announced.")
		}
	}
	return c.seal.checkTrailer(trailer, signature)
}

// trail takes a line of the trailer.
func (f *Flow) trail(name, value string) error {
	name = http.CanonicalHeaderKey(name)
	if !slices.Contains(f.Announced, name) || f.Trailer[name] != nil {
		return malformed("The trailer has what x-amz-trailer did not announce.")
	}
	if f.Trailer == nil {
		f.Trailer = http.Header{}
	}
	f.Trailer[name] = []string{value}
	return nil
}

// seal checks the signatures of chunks, each of which covers the one before. A nil
// seal checks nothing.
type seal struct {
	key   derivedKey
	claim *Claim
	last  string // signature of the chunk before, of the request at first
	this  string // signature of this chunk, as sent
	sum   hash.Hash
}

func (s *seal) begin(signature string) {
	if s != nil {
		s.this = signature
		s.sum.Reset()
	}
}

func (s *seal) add(p []byte) {
	if s != nil {
		s.sum.Write(p)
	}
}

func (s *seal) check() error {
	if s == nil {
		return nil
	}
	text := s.claim.heading(algorithm + "-PAYLOAD")
	text = append(text, s.last+"\n"+emptyHash+"\n"...)
	return s.accept(s.this, hex.AppendEncode(text, s.sum.Sum(nil)))
}

func (s *seal) checkTrailer(trailer, signature string) error {
	if s == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(trailer))
	text := append(s.claim.heading(algorithm+"-TRAILER"), s.last+"\n"...)
	return s.accept(signature, hex.AppendEncode(text, sum[:]))
}

func (s *seal) accept(signature string, text []byte) error {
	if !s.key.signed(signature, text) {
		return mismatch("The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	s.last = signature
	return nil
}

// lines reads the heads of chunks and, between them, their data.
type lines struct{ *bufio.Reader }

func (l *lines) reset(r io.Reader) { l.Reader = bufio.NewReaderSize(r, maxChunkLine) }

// next is a line without its end. io.EOF means that there is none.
func (l *lines) next() (string, error) {
	line, err := l.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return "", malformed("A line between the chunks of the body is too long.")
	case err == io.EOF && len(line) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	text := string(line)
	if !strings.HasSuffix(text, "\r\n") {
		return "", malformed("A line between the chunks of the body does not end with CRLF.")
	}
	return strings.TrimSuffix(text, "\r\n"), nil
}

// early makes an end that comes too soon an error.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func malformed(format string, args ...any) *fault.Fault {
	return fault.New(fault.IncompleteBody, format, args...)
}
