package web_test

import (
	"bytes"
	"crypto/tls"

	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// talk2 is a client of HTTP/2 that says what frames it likes.
type talk2 struct {
	*http2.Framer
	conn *tls.Conn
	text bytes.Buffer
	pack *hpack.Encoder
}

// frames opens a connection that speaks HTTP/2 and has said its preface.
func (s *stand) frames(t *testing.T) *talk2 {
	t.Helper()
	config := trusting()
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", s.addr, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &talk2{Framer: http2.NewFramer(conn, conn), conn: conn}
	c.AllowIllegalReads, c.AllowIllegalWrites = true, true
	c.pack = hpack.NewEncoder(&c.text)
	return c
}

func (c *talk2) preface() {
	_, _ = io.WriteString(c.conn, http2.ClientPreface)
	_ = c.WriteSettings()
}

// block is a block of header fields, name after value.
func (c *talk2) block(pairs ...string) []byte {
	c.text.Reset()
	for n := 0; n < len(pairs); n += 2 {
		_ = c.pack.WriteField(hpack.HeaderField{Name: pairs[n], Value: pairs[n+1]})
	}
	return bytes.Clone(c.text.Bytes())
}

// ask begins a request on a stream; more are fields beyond those of a GET.
func (c *talk2) ask(stream uint32, end bool, more ...string) {
	c.fields(stream, end, append([]string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"}, more...)...)
}

func (c *talk2) post(stream uint32, more ...string) {
	c.fields(stream, false, append([]string{":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/"}, more...)...)
}

// wait begins a request whose answer does not come.
func (c *talk2) wait(stream uint32) {
	c.fields(stream, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/wait")
}

func (c *talk2) fields(stream uint32, end bool, pairs ...string) {
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.block(pairs...), EndHeaders: true, EndStream: end})
}

// raw writes a frame whatever is in it.
func (c *talk2) raw(kind http2.FrameType, flags http2.Flags, stream uint32, payload ...byte) {
	_ = c.WriteRawFrame(kind, flags, stream, payload)
}

// reaction is what the other side does to a stream: "GOAWAY" or "RST" with its code, or
// the status of an answer; "closed" when the connection ends without a word.
func (c *talk2) reaction(stream uint32) string {
	unpack := hpack.NewDecoder(4096, nil)
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return "GOAWAY " + f.ErrCode.String()
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == stream {
				return "RST " + f.ErrCode.String()
			}
		case *http2.HeadersFrame:
			fields, err := unpack.DecodeFull(f.HeaderBlockFragment())
			if err != nil {
				return err.Error()
			}
			if f.StreamID == stream {
				return fields[0].Value
			}
		case *http2.PingFrame:
			if f.IsAck() {
				return "PING"
			}
		}
	}
}

// TestFrames says sequences of frames that RFC 9113 has an opinion on, after h2spec.
func TestFrames(t *testing.T) {
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})
	s := newStand(t, func(s *stand) { s.secure(t, "a"); s.pool("a", target); s.otherwise(to("a")) })
	const protocol, size, flow, compression, closed = "PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR", "COMPRESSION_ERROR", "STREAM_CLOSED"
	zeros := func(n int) []byte { return make([]byte, n) }
	for _, c := range []struct {
		name string
		say  func(*talk2)
		want string // of them, the ones that are as good as each other with a bar between
	}{
		// 3.4: the preface
		{"no preface", func(c *talk2) { _, _ = io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n     ") }, "closed|GOAWAY " + protocol},
		{"a preface without settings", func(c *talk2) { _, _ = io.WriteString(c.conn, http2.ClientPreface); _ = c.WritePing(false, [8]byte{}) }, "closed|GOAWAY " + protocol},
		// 4: frames
		{"an unknown frame", func(c *talk2) { c.preface(); c.raw(0xfa, 0xff, 0, 1); c.ask(1, true) }, "200"},
		{"a frame that is too long", func(c *talk2) { c.preface(); c.raw(http2.FrameHeaders, 4, 1, zeros(1<<20+1)...) }, "GOAWAY " + size + "|RST " + size},
		{"data that are too long", func(c *talk2) { c.preface(); c.post(1); c.raw(http2.FrameData, 1, 1, zeros(1<<20+1)...) }, "GOAWAY " + size + "|RST " + size},
		{"a block that is none", func(c *talk2) { c.preface(); c.raw(http2.FrameHeaders, 5, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) }, "GOAWAY " + compression},
		{"another frame within a block", func(c *talk2) {
			c.preface()
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method", "GET")})
			_ = c.WritePing(false, [8]byte{})
		}, "GOAWAY " + protocol},
		{"another stream within a block", func(c *talk2) {
			c.preface()
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method", "GET")})
			_ = c.WriteContinuation(3, true, nil)
		}, "GOAWAY " + protocol},
		// 5.1: states of streams
		{"data on an idle stream", func(c *talk2) { c.preface(); _ = c.WriteData(1, true, []byte("x")) }, "GOAWAY " + protocol},
		{"a reset of an idle stream", func(c *talk2) { c.preface(); _ = c.WriteRSTStream(1, http2.ErrCodeCancel) }, "GOAWAY " + protocol},
		{"a window of an idle stream", func(c *talk2) { c.preface(); _ = c.WriteWindowUpdate(1, 1) }, "GOAWAY " + protocol},
		{"a continuation of nothing", func(c *talk2) { c.preface(); _ = c.WriteContinuation(1, true, nil) }, "GOAWAY " + protocol},
		{"data after the end", func(c *talk2) { c.preface(); c.wait(1); _ = c.WriteData(1, true, []byte("x")) }, "RST " + closed + "|GOAWAY " + closed},
		{"a head after the end", func(c *talk2) { c.preface(); c.wait(1); c.ask(1, true) }, "RST " + closed + "|GOAWAY " + closed + "|GOAWAY " + protocol},
		{"data after a reset", func(c *talk2) {
			c.preface()
			c.post(1)
			_ = c.WriteRSTStream(1, http2.ErrCodeCancel)
			_ = c.WriteData(1, true, []byte("x"))
		}, "RST " + closed + "|GOAWAY " + closed},
		{"an even stream", func(c *talk2) { c.preface(); c.ask(2, true) }, "GOAWAY " + protocol},
		{"an older stream", func(c *talk2) { c.preface(); c.ask(5, true); c.ask(3, true) }, "GOAWAY " + protocol + "|GOAWAY " + closed},
		{"a head on no stream", func(c *talk2) { c.preface(); c.ask(0, true) }, "GOAWAY " + protocol},
		// 5.3: priorities
		{"a stream before itself", func(c *talk2) { c.preface(); _ = c.WritePriority(1, http2.PriorityParam{StreamDep: 1}); c.ask(1, true) }, "RST " + protocol + "|GOAWAY " + protocol + "|200"},
		{"a short priority", func(c *talk2) { c.preface(); c.raw(http2.FramePriority, 0, 1, 0, 0) }, "RST " + size + "|GOAWAY " + size},
		{"a priority of nothing", func(c *talk2) { c.preface(); c.raw(http2.FramePriority, 0, 0, 0, 0, 0, 0, 0) }, "GOAWAY " + protocol},
		// 6.1: DATA
		{"data on no stream", func(c *talk2) { c.preface(); c.raw(http2.FrameData, 1, 0, 'x') }, "GOAWAY " + protocol},
		{"padding longer than data", func(c *talk2) { c.preface(); c.post(1); c.raw(http2.FrameData, 9, 1, 5, 'x') }, "GOAWAY " + protocol},
		// 6.2: HEADERS
		{"padding longer than a head", func(c *talk2) { c.preface(); c.raw(http2.FrameHeaders, 0xd, 1, 9, 'x') }, "RST " + protocol}, // of the connection, says 6.2; the library resets the stream
		// 6.4: RST_STREAM
		{"a reset of no stream", func(c *talk2) { c.preface(); c.raw(http2.FrameRSTStream, 0, 0, 0, 0, 0, 8) }, "GOAWAY " + protocol},
		{"a short reset", func(c *talk2) { c.preface(); c.post(1); c.raw(http2.FrameRSTStream, 0, 1, 0, 0, 8) }, "GOAWAY " + size},
		// 6.5: SETTINGS
		{"settings of a stream", func(c *talk2) { c.preface(); c.raw(http2.FrameSettings, 0, 1) }, "GOAWAY " + protocol},
		{"settings in part", func(c *talk2) { c.preface(); c.raw(http2.FrameSettings, 0, 0, 0, 3, 0) }, "GOAWAY " + size},
		{"an answer to settings with more", func(c *talk2) { c.preface(); c.raw(http2.FrameSettings, 1, 0, 0, 3, 0, 0, 0, 1) }, "GOAWAY " + size},
		{"ENABLE_PUSH of 2", func(c *talk2) { c.preface(); _ = c.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 2}) }, "GOAWAY " + protocol},
		{"a window beyond all", func(c *talk2) {
			c.preface()
			_ = c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		}, "GOAWAY " + flow},
		{"frames below the least", func(c *talk2) {
			c.preface()
			_ = c.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 100})
		}, "GOAWAY " + protocol},
		{"frames above the most", func(c *talk2) {
			c.preface()
			_ = c.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 24})
		}, "GOAWAY " + protocol},
		{"an unknown setting", func(c *talk2) { c.preface(); _ = c.WriteSettings(http2.Setting{ID: 0xff, Val: 1}); c.ask(1, true) }, "200"},
		// 6.6: PUSH_PROMISE
		{"a promise of a client's", func(c *talk2) {
			c.preface()
			_ = c.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: c.block(":method", "GET"), EndHeaders: true})
		}, "GOAWAY " + protocol},
		// 6.7: PING
		{"a ping", func(c *talk2) { c.preface(); _ = c.WritePing(false, [8]byte{1}) }, "PING"},
		{"a ping of a stream", func(c *talk2) { c.preface(); c.raw(http2.FramePing, 0, 1, zeros(8)...) }, "GOAWAY " + protocol},
		{"a short ping", func(c *talk2) { c.preface(); c.raw(http2.FramePing, 0, 0, zeros(6)...) }, "GOAWAY " + size},
		// 6.8: GOAWAY
		{"a farewell of a stream", func(c *talk2) { c.preface(); c.raw(http2.FrameGoAway, 0, 1, zeros(8)...) }, "GOAWAY " + protocol},
		// 6.9: WINDOW_UPDATE
		{"a window of nothing", func(c *talk2) { c.preface(); c.raw(http2.FrameWindowUpdate, 0, 0, 0, 0, 0, 0) }, "GOAWAY " + protocol},
		{"a stream's window of nothing", func(c *talk2) { c.preface(); c.post(1); c.raw(http2.FrameWindowUpdate, 0, 1, 0, 0, 0, 0) }, "RST " + protocol + "|GOAWAY " + protocol},
		{"a short window", func(c *talk2) { c.preface(); c.raw(http2.FrameWindowUpdate, 0, 0, 0, 0, 1) }, "GOAWAY " + size},
		{"a window that overflows", func(c *talk2) { c.preface(); _ = c.WriteWindowUpdate(0, 1<<31-1) }, "GOAWAY " + flow},
		{"a stream's window that overflows", func(c *talk2) { c.preface(); c.post(1); _ = c.WriteWindowUpdate(1, 1<<31-1) }, "RST " + flow},
		// 8.1 to 8.3: requests
		{"an upper case name", func(c *talk2) { c.preface(); c.ask(1, true, "X-A", "b") }, "RST " + protocol + "|400"},
		{"a name with a space", func(c *talk2) { c.preface(); c.ask(1, true, "x a", "b") }, "RST " + protocol + "|400"},
		{"a value with a line's end", func(c *talk2) { c.preface(); c.ask(1, true, "x", "a\r\nb: c") }, "RST " + protocol + "|400"},
		{"an unknown pseudo field", func(c *talk2) { c.preface(); c.ask(1, true, ":x", "y") }, "RST " + protocol + "|400"},
		{"a pseudo field of answers", func(c *talk2) { c.preface(); c.ask(1, true, ":status", "200") }, "RST " + protocol + "|400"},
		{"a pseudo field behind others", func(c *talk2) {
			c.preface()
			c.fields(1, true, ":method", "GET", ":scheme", "https", ":path", "/", "x", "y", ":authority", "a")
		}, "RST " + protocol + "|400"},
		{"a pseudo field twice", func(c *talk2) { c.preface(); c.ask(1, true, ":path", "/b") }, "RST " + protocol + "|400"},
		{"no path", func(c *talk2) {
			c.preface()
			c.fields(1, true, ":method", "GET", ":scheme", "https", ":authority", "a")
		}, "RST " + protocol + "|400"},
		{"an empty path", func(c *talk2) {
			c.preface()
			c.fields(1, true, ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "")
		}, "RST " + protocol + "|400"},
		{"no method", func(c *talk2) { c.preface(); c.fields(1, true, ":scheme", "https", ":authority", "a", ":path", "/") }, "RST " + protocol + "|400"},
		{"no scheme", func(c *talk2) { c.preface(); c.fields(1, true, ":method", "GET", ":authority", "a", ":path", "/") }, "RST " + protocol + "|400"},
		{"a field of connections", func(c *talk2) { c.preface(); c.ask(1, true, "connection", "keep-alive") }, "RST " + protocol + "|400"},
		{"a coding", func(c *talk2) { c.preface(); c.ask(1, true, "transfer-encoding", "chunked") }, "RST " + protocol + "|400"},
		{"TE of more than trailers", func(c *talk2) { c.preface(); c.ask(1, true, "te", "trailers, deflate") }, "RST " + protocol + "|400"},
		{"less data than told", func(c *talk2) { c.preface(); c.post(1, "content-length", "5"); _ = c.WriteData(1, true, []byte("x")) }, "RST " + protocol + "|400"},
		{"more data than told", func(c *talk2) { c.preface(); c.post(1, "content-length", "1"); _ = c.WriteData(1, true, []byte("xyz")) }, "RST " + protocol + "|400"},
		{"a trailer with a pseudo field", func(c *talk2) { c.preface(); c.post(1); c.fields(1, true, ":path", "/") }, "RST " + protocol + "|GOAWAY " + protocol},
		{"a trailer before the end", func(c *talk2) { c.preface(); c.post(1); c.fields(1, false, "x", "y") }, "RST " + protocol + "|GOAWAY " + protocol},
		{"TRACE", func(c *talk2) {
			c.preface()
			c.fields(1, true, ":method", "TRACE", ":scheme", "https", ":authority", "a", ":path", "/")
		}, "405"},
		{"CONNECT", func(c *talk2) { c.preface(); c.fields(1, true, ":method", "CONNECT", ":authority", "a:1") }, "405"},
		// floods
		{"continuations without end", func(c *talk2) {
			c.preface()
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/")})
			for n := range 200 {
				if c.WriteContinuation(1, n == 199, c.block("x", strings.Repeat("a", 8000))) != nil {
					return
				}
			}
		}, "GOAWAY " + protocol + "|GOAWAY ENHANCE_YOUR_CALM|closed|431|RST " + protocol},
		{"a head beyond all", func(c *talk2) {
			c.preface()
			for n := range 10 {
				block := c.block("x", strings.Repeat("a", 15000))
				if n == 0 {
					_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: append(c.block(":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"), block[:0]...)})
				}
				if c.WriteContinuation(1, n == 9, block) != nil {
					return
				}
			}
		}, "431|GOAWAY " + protocol + "|closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := s.frames(t)
			c.say(conn)
			stream := uint32(1)
			if got := conn.reaction(stream); !among(got, c.want) {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func among(got, want string) bool {
	for w := range strings.SplitSeq(want, "|") {
		if got == w {
			return true
		}
	}
	return false
}

// TestRapidResets shows a client that begins requests and takes them back at once: it is
// sent away before it has kept targets busy.
func TestRapidResets(t *testing.T) {
	begun, leave := make(chan struct{}, 1<<16), make(chan struct{})
	target := server(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-leave
	})
	t.Cleanup(func() { close(leave) })
	s := newStand(t, func(s *stand) { s.secure(t, "a"); s.pool("a", target); s.otherwise(to("a")) })
	c := s.frames(t)
	c.preface()
	go func() {
		for n := range uint32(20000) {
			c.ask(2*n+1, true)
			if c.WriteRSTStream(2*n+1, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	if got := c.reaction(0); got != "GOAWAY ENHANCE_YOUR_CALM" && got != "closed" {
		t.Error(got)
	}
	if len(begun) > 2000 {
		t.Errorf("%d requests reached the target", len(begun))
	}
}
