package stream

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/berthhq/berth/plane/edge/web/wire"
)

// lock takes the right to write.
func (c *Conn) lock() {
	c.writers.Add(1)
	c.writing.Lock()
	c.writers.Add(-1)
}

// unlock gives it up. What is to be sent at once waits only for who writes next.
func (c *Conn) unlock(now bool) error {
	c.hasty = c.hasty || now
	var err error
	if c.hasty && c.writers.Load() == 0 {
		c.hasty = false
		c.speak()
		err = c.sink.Flush()
	}
	c.writing.Unlock()
	if err != nil {
		return ErrGone
	}
	return nil
}

// speak gives the client time to take what is written next. The deadline is moved only
// now and then, which costs less.
func (c *Conn) speak() {
	now := time.Now()
	if now.Sub(c.spoke) < c.Patience/16 {
		return
	}
	c.spoke = now
	_ = c.conn.SetWriteDeadline(now.Add(c.Patience + c.Patience/16))
}

// frame writes one frame of at most maxPayload, with the right to.
func (c *Conn) frame(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) {
	b := c.sink.Free()
	if cap(b)-len(b) < 9+len(payload) {
		c.speak()
		_ = c.sink.Flush() // its error stays
		b = c.sink.Free()
	}
	b = append(b, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), byte(kind), byte(flags))
	b = binary.BigEndian.AppendUint32(b, id)
	c.sink.Wrote(append(b, payload...))
}

// send writes a frame, to be sent with what follows.
func (c *Conn) send(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) error {
	c.lock()
	c.frame(kind, flags, id, payload)
	return c.unlock(false)
}

// sendNow writes a frame and sends it.
func (c *Conn) sendNow(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) error {
	c.lock()
	c.frame(kind, flags, id, payload)
	return c.unlock(true)
}

func (c *Conn) flush() error {
	c.lock()
	return c.unlock(true)
}

func (c *Conn) sendPreface() error {
	var b []byte
	for _, s := range []http2.Setting{
		{ID: http2.SettingMaxConcurrentStreams, Val: maxStreams},
		{ID: http2.SettingInitialWindowSize, Val: streamRoom},
		{ID: http2.SettingMaxHeaderListSize, Val: maxHead},
	} {
		b = binary.BigEndian.AppendUint16(b, uint16(s.ID))
		b = binary.BigEndian.AppendUint32(b, s.Val)
	}
	c.lock()
	c.frame(http2.FrameSettings, 0, 0, b)
	c.frame(http2.FrameWindowUpdate, 0, 0, number(wholeRoom-65535))
	return c.unlock(true)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// sendWindows lets the client send more; 0 for no more than it may.
func (c *Conn) sendWindows(id uint32, own, whole int) error {
	if own == 0 && whole == 0 {
		return nil
	}
	c.lock()
	if own > 0 {
		c.frame(http2.FrameWindowUpdate, 0, id, number(uint32(own)))
	}
	if whole > 0 {
		c.frame(http2.FrameWindowUpdate, 0, 0, number(uint32(whole)))
	}
	return c.unlock(true)
}

func (c *Conn) sendReset(id uint32, code http2.ErrCode) error {
	return c.sendNow(http2.FrameRSTStream, 0, id, number(uint32(code)))
}

func (c *Conn) sendGoAway(last uint32, code http2.ErrCode) error {
	return c.sendNow(http2.FrameGoAway, 0, 0, binary.BigEndian.AppendUint32(number(last), uint32(code)))
}

func (c *Conn) sendContinue(id uint32) error {
	c.lock()
	c.block.Reset()
	c.field(":status", "100")
	c.head(id, 0)
	return c.unlock(true)
}

// sendHead writes the head of an answer. Its error comes with the next flush.
func (c *Conn) sendHead(id uint32, status int, fields wire.Fields, last bool) {
	c.lock()
	c.block.Reset()
	c.field(":status", strconv.Itoa(status))
	for n := range fields {
		c.field(fields[n].Name, fields[n].Value)
	}
	var flags http2.Flags
	if last {
		flags = http2.FlagHeadersEndStream
	}
	c.head(id, flags)
	_ = c.unlock(false)
}

func (c *Conn) sendTrailer(id uint32, fields wire.Fields) error {
	c.lock()
	c.block.Reset()
	for n := range fields {
		c.field(fields[n].Name, fields[n].Value)
	}
	c.head(id, http2.FlagHeadersEndStream)
	return c.unlock(true)
}

// field adds a field to the block, unless it is one of connections.
func (c *Conn) field(name, value string) {
	if name = strings.ToLower(name); !ofConnections(name) {
		_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // into a buffer
	}
}

// head writes the block in as many frames as it needs.
func (c *Conn) head(id uint32, flags http2.Flags) {
	kind, block := http2.FrameHeaders, c.block.Bytes()
	for len(block) > maxPayload {
		c.frame(kind, flags, id, block[:maxPayload])
		kind, flags, block = http2.FrameContinuation, 0, block[maxPayload:]
	}
	c.frame(kind, flags|http2.FlagHeadersEndHeaders, id, block)
}
