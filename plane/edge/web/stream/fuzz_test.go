package stream_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/berthhq/berth/plane/edge/web/stream"
	"github.com/berthhq/berth/plane/edge/web/wire"
)

// FuzzServe has clients say anything: a connection ends when its client does, and what it
// said until then was frames.
func FuzzServe(f *testing.F) {
	var b bytes.Buffer
	fr := http2.NewFramer(&b, nil)
	add := func(err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	add(fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
	add(fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x82\x86\x84\x41\x01a"), EndHeaders: true}))
	add(fr.WriteData(1, false, []byte("hello")))
	add(fr.WriteWindowUpdate(1, 10))
	add(fr.WritePing(false, [8]byte{1}))
	add(fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("\x40\x01a\x01b"), EndHeaders: true, EndStream: true}))
	add(fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte("\x83\x86\x84\x41\x01a"), EndHeaders: true}))
	add(fr.WriteRSTStream(3, http2.ErrCodeCancel))
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		ended := make(chan bool)
		go func() {
			stream.New(ours, stream.Options{Buffers: &wire.Buffers{}, Workers: stream.NewWorkers(), Idle: time.Minute, Patience: time.Minute, Serve: echo}).Serve()
			close(ended)
		}()
		heard := make(chan error)
		go func() { heard <- frames(theirs) }()
		_, _ = io.WriteString(theirs, http2.ClientPreface) // it may hang up at any time
		_, _ = theirs.Write(said)
		theirs.Close()
		<-ended
		if err := <-heard; err != nil {
			t.Error(err)
		}
	})
}

// frames reads them until the connection ends.
func frames(c net.Conn) error {
	fr := http2.NewFramer(nil, c)
	for {
		switch _, err := fr.ReadFrame(); err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe:
			return nil
		default:
			return err
		}
	}
}
