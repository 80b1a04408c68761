package stream_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/berthhq/berth/plane/edge/web/stream"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// peer speaks frames.
type peer struct {
	net.Conn
	*http2.Framer
	t     *testing.T
	block bytes.Buffer
	table *hpack.Encoder
}

func newPeer(t *testing.T, c net.Conn) *peer {
	p := &peer{Conn: c, Framer: http2.NewFramer(c, c), t: t}
	p.table = hpack.NewEncoder(&p.block)
	return p
}

// greet begins the conversation.
func (p *peer) greet() {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, http2.ClientPreface); err != nil {
		p.t.Fatal(err)
	}
	if err := p.WriteSettings(); err != nil {
		p.t.Fatal(err)
	}
}

func dial(t *testing.T, s *server) *peer {
	t.Helper()
	c, err := net.Dial("tcp", s.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p := newPeer(t, c)
	p.greet()
	return p
}

// ask begins a request; more are fields beyond those it must have.
func (p *peer) ask(id uint32, whole bool, more ...hpack.HeaderField) error {
	p.block.Reset()
	must := []hpack.HeaderField{{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: "/"}, {Name: ":authority", Value: "a"}}
	for _, f := range append(must, more...) {
		if err := p.table.WriteField(f); err != nil {
			return err
		}
	}
	block := p.block.Bytes()
	first := block[:min(len(block), 16000)]
	err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: whole, EndHeaders: len(first) == len(block)})
	for block = block[len(first):]; err == nil && len(block) > 0; block = block[min(len(block), 16000):] {
		err = p.WriteContinuation(id, len(block) <= 16000, block[:min(len(block), 16000)])
	}
	return err
}

// goAway reads until the server says that it goes.
func (p *peer) goAway() http2.ErrCode {
	p.t.Helper()
	for {
		f, err := p.ReadFrame()
		if err != nil {
			p.t.Fatal(err)
		}
		if away, ok := f.(*http2.GoAwayFrame); ok {
			return away.ErrCode
		}
	}
}

// TestRapidReset has a client ask and take it back, over and over: CVE-2023-44487.
func TestRapidReset(t *testing.T) {
	s := serve(t, func(s *stream.Stream) { <-s.Context().Done() })
	p := dial(t, s)
	go func() {
		for id := uint32(1); p.ask(id, true) == nil && p.WriteRSTStream(id, http2.ErrCodeCancel) == nil; id += 2 {
		}
	}()
	if code := p.goAway(); code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("%v", code)
	}
}

// TestLongHeads sees that one over the limit is refused, and one without an end cut off.
func TestLongHeads(t *testing.T) {
	faults := make(chan *wire.Fault, 1)
	s := serve(t, func(s *stream.Stream) {
		faults <- s.Fault
		s.Begin(431, nil)
		_ = s.End(nil)
	})
	p := dial(t, s)
	long := hpack.HeaderField{Name: "x", Value: strings.Repeat("x", 15<<10)}
	if err := p.ask(1, true, long, long, long, long, long); err != nil {
		t.Fatal(err)
	}
	if f := <-faults; f == nil || f.Status != 431 {
		t.Errorf("%v", f)
	}
	go func() {
		err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82}})
		for err == nil {
			err = p.WriteContinuation(3, false, bytes.Repeat([]byte{0x40, 1, 'x', 1, 'x'}, 3000))
		}
	}()
	if code := p.goAway(); code == http2.ErrCodeNo {
		t.Errorf("%v", code)
	}
}

// TestBodiesNobodyReads sees that they do not use the connection up.
func TestBodiesNobodyReads(t *testing.T) {
	s := serve(t, func(s *stream.Stream) {
		s.Begin(200, nil)
		_ = s.End(nil)
	})
	client := s.client()
	for range 30 {
		answer, err := client.Post("http://"+s.at, "text/plain", bytes.NewReader(make([]byte, 200<<10)))
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer, err)
		}
		answer.Body.Close()
	}
}

// TestPatience has clients that do nothing.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		serve func(*stream.Stream) error
		more  func(*peer) error
	}{
		"no body": {
			func(s *stream.Stream) error { _, err := s.Part(nil); return err },
			func(p *peer) error { return p.ask(1, false) },
		},
		"nothing taken": {
			func(s *stream.Stream) error {
				s.Begin(200, nil)
				return s.Write(make([]byte, 100<<10))
			},
			func(p *peer) error { return p.ask(1, true) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				said := make(chan error, 1)
				began := time.Now()
				conn := stream.New(ours, stream.Options{
					Buffers: &wire.Buffers{}, Workers: stream.NewWorkers(), Idle: time.Minute, Patience: 10 * time.Second,
					Serve: func(s *stream.Stream) { said <- c.serve(s) },
				})
				go conn.Serve()
				p := newPeer(t, theirs)
				away := make(chan http2.ErrCode)
				go func() { away <- p.goAway() }()
				p.greet()
				if err := c.more(p); err != nil {
					t.Fatal(err)
				}
				if err := <-said; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 10*time.Second {
					t.Errorf("%v after %s", err, time.Since(began))
				}
				if code := <-away; code != http2.ErrCodeNo || time.Since(began) != 70*time.Second {
					t.Errorf("%v after %s", code, time.Since(began))
				}
				theirs.Close()
			})
		})
	}
}
