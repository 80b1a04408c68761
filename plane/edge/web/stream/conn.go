package stream

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// Limits of a connection. AWS documents the one of streams.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
const (
	maxStreams = 128
	frameSize  = 16 << 10      // the least that everybody takes, RFC 9113, 4.2
	maxPayload = frameSize - 9 // so that a frame fits a buffer, and a record of TLS
	streamRoom = 256 << 10     // of a body that nobody reads yet
	wholeRoom  = 1 << 20       // of all bodies of a connection
	maxWindow  = 1<<31 - 1
	maxHead    = 64 << 10
	tableSize  = 4 << 10 // of HPACK, RFC 9113, 6.5.2
)

// Options of a connection.
type Options struct {
	Buffers *wire.Buffers
	Workers *Workers
	// Idle is how long the client may be without a request, Patience how long it may take
	// to go on with one, or with what it is sent.
	Idle, Patience time.Duration
	// Serve answers a request.
	Serve func(*Stream)
}

// Conn is a client's connection.
type Conn struct {
	Options
	conn   net.Conn
	source *wire.Source
	framer *http2.Framer // of what is read

	writing sync.Mutex
	writers atomic.Int32 // that wait for writing
	sink    *wire.Sink
	hasty   bool // what was written waits to be sent
	encoder *hpack.Encoder
	block   bytes.Buffer
	spoke   time.Time // when the deadline of writing was moved

	mu       sync.Mutex
	streams  map[uint32]*Stream
	last     uint32 // the highest id of the client's
	opened   int64
	resets   int64 // of those, by the client before their answer
	window   int64 // what the client takes of all streams
	initial  int64 // window of new streams
	room     int64 // what the client may still send
	owed     int   // what was taken, and the client was not told so
	greeted  bool
	leaving  bool // it was to drain
	draining bool // the client knows, and streams after last are not served
	closed   bool
}

// New makes a connection of one on which TLS has been agreed.
func New(conn net.Conn, o Options) *Conn {
	c := &Conn{
		Options: o, conn: conn, source: wire.NewSource(conn, o.Buffers), sink: wire.NewSink(conn, o.Buffers),
		streams: map[uint32]*Stream{}, window: 65535, initial: 65535, room: wholeRoom,
	}
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer = http2.NewFramer(nil, c.source)
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(frameSize)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	c.framer.MaxHeaderListSize = maxHead
	return c
}

// Serve serves until the connection ends, and closes it. What is under way when the
// client goes away is told so.
func (c *Conn) Serve() {
	err := c.serve()
	var code http2.ConnectionError // NO_ERROR at first
	if errors.As(err, &code) || errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.sendGoAway(c.lastID(), http2.ErrCode(code))
	}
	c.Close()
	c.source.Drop()
}

// greet says the first words, and the last ones if it was to drain before.
func (c *Conn) greet() error {
	if err := c.sendPreface(); err != nil {
		return err
	}
	c.mu.Lock()
	c.greeted = true
	leave := c.leaving
	c.mu.Unlock()
	if leave {
		c.announce()
	}
	return nil
}

func (c *Conn) lastID() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *Conn) serve() error {
	_ = c.conn.SetReadDeadline(time.Now().Add(c.Idle))
	if err := c.greet(); err != nil {
		return err
	}
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.source, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	for first := true; ; first = false {
		if err := c.await(); err != nil {
			return err
		}
		f, err := c.framer.ReadFrame()
		if settings, ok := f.(*http2.SettingsFrame); first && err == nil && (!ok || settings.IsAck()) {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		if err == nil {
			err = c.take(f)
		}
		if err = c.mend(err); err != nil {
			return err
		}
	}
}

// await waits for the next frame without a buffer.
func (c *Conn) await() error {
	if len(c.source.Buffered()) > 0 {
		return nil
	}
	c.source.Rest()
	var one [1]byte
	if _, err := io.ReadFull(c.conn, one[:]); err != nil {
		return err
	}
	c.source.Begin(one[0])
	return nil
}

// mend makes of an error what ends the connection: one of a stream ends just that.
func (c *Conn) mend(err error) error {
	var of http2.StreamError
	switch {
	case errors.Is(err, http2.ErrFrameTooLarge):
		return http2.ConnectionError(http2.ErrCodeFrameSize)
	case !errors.As(err, &of):
		return err
	}
	c.mu.Lock()
	s := c.streams[of.StreamID]
	if of.StreamID%2 == 1 && of.StreamID > c.last {
		c.last = of.StreamID // a request that was none
	}
	c.mu.Unlock()
	if s != nil {
		c.reset(s, of.Code)
		return nil
	}
	return c.sendReset(of.StreamID, of.Code)
}

// reset ends a stream.
func (c *Conn) reset(s *Stream, code http2.ErrCode) {
	c.mu.Lock()
	told := errors.Is(s.err, errReset)
	cut := s.over(errReset)
	c.mu.Unlock()
	if told {
		return
	}
	_ = c.sendReset(s.id, code)
	if cut != nil {
		cut()
	}
}

// Drain takes no new requests but those that are on their way, and ends with the last
// answer.
func (c *Conn) Drain() {
	c.mu.Lock()
	now := c.greeted && !c.leaving
	c.leaving = true
	c.mu.Unlock()
	if now {
		c.announce()
	}
}

// announce says that it is time to leave. Who hears of it no more will not be missed.
func (c *Conn) announce() {
	_ = c.sendGoAway(maxWindow, http2.ErrCodeNo)
	_ = c.sendNow(http2.FramePing, 0, 0, draining[:])
}

// draining marks the ping whose answer says that the client knows: what it sends from then
// on is not served.
var draining = [8]byte{'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'} // never changed

// drained begins the end that Drain announced.
func (c *Conn) drained() error {
	c.mu.Lock()
	c.draining = true
	last, none := c.last, len(c.streams) == 0
	c.mu.Unlock()
	err := c.sendGoAway(last, http2.ErrCodeNo)
	if none {
		c.end()
	}
	return err
}

// lingering is how long a client may take to hear the last words: to close at once, while
// it still sends, would have it lose them.
const lingering = 500 * time.Millisecond

// end says all that waits to be said, and nothing more. The connection is closed by who
// reads it.
func (c *Conn) end() {
	c.writing.Lock()
	c.speak()
	_ = c.sink.Flush()
	c.writing.Unlock()
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		c.Close()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	_ = c.conn.SetReadDeadline(time.Now().Add(lingering))
}

// Close cuts the connection.
func (c *Conn) Close() {
	c.conn.Close()
	c.mu.Lock()
	c.closed = true
	var cuts []func()
	for _, s := range c.streams {
		if cut := s.over(ErrGone); cut != nil {
			cuts = append(cuts, cut)
		}
	}
	c.mu.Unlock()
	for _, cut := range cuts {
		cut()
	}
}

// run has a request served, and ends its stream.
func (c *Conn) run(s *Stream) {
	defer c.leave(s)
	c.Options.Serve(s)
}
