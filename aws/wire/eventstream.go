package wire

import (
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"reflect"

	"github.com/berthhq/berth/domain/fault"
)

// stream is the field of a struct that holds events; nil when it has none.
func (s *shape) stream() *field {
	for i := range s.fields {
		if s.fields[i].shape.kind == kindStream {
			return &s.fields[i]
		}
	}
	return nil
}

// respondStream sends the events of f. The first message of an RPC protocol's
// stream holds the other members of the answer.
func (q *Request) respondStream(w http.ResponseWriter, id string, s *shape, f *field, v reflect.Value) error {
	q.head(w.Header(), id)
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)
	out := streamWriter{w: w, control: http.NewResponseController(w), payload: q.Protocol.contentType()}
	if err := out.event("initial-response", appendJSON(nil, s, v, timeDefault)); err != nil {
		return err
	}
	events := v.Field(f.index)
	if events.IsNil() {
		return nil
	}
	return out.all(f.shape.elem, events)
}

// streamWriter writes messages of the event stream encoding.
type streamWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	payload string // content type of the payloads
}

// all sends events until the sequence ends or the client is gone. An error of
// the sequence is sent as an exception.
func (w *streamWriter) all(s *shape, events reflect.Value) error {
	var failed error
	yield := reflect.MakeFunc(events.Type().In(0), func(args []reflect.Value) []reflect.Value {
		if err, _ := reflect.TypeAssert[error](args[1]); err != nil {
			failed = w.exception(fault.Of(err))
			return []reflect.Value{reflect.ValueOf(false)}
		}
		failed = w.union(s, args[0].Elem())
		return []reflect.Value{reflect.ValueOf(failed == nil)}
	})
	events.Call([]reflect.Value{yield})
	return failed
}

// union sends the one member that is set: its name is the type of the event.
func (w *streamWriter) union(s *shape, v reflect.Value) error {
	for i := range s.fields {
		f := &s.fields[i]
		if fv := v.Field(f.index); !f.absent(fv) {
			return w.event(f.name, appendJSON(nil, f.shape, f.value(fv), timeDefault))
		}
	}
	return nil
}

func (w *streamWriter) event(kind string, payload []byte) error {
	return w.message(payload, ":message-type", "event", ":event-type", kind, ":content-type", w.payload)
}

func (w *streamWriter) exception(f *fault.Fault) error {
	payload := append(appendJSONString([]byte(`{"message":`), f.Error()), '}')
	return w.message(payload, ":message-type", "exception", ":exception-type", f.Kind.Code(fault.JSON), ":content-type", w.payload)
}

func (w *streamWriter) message(payload []byte, headers ...string) error {
	if _, err := w.w.Write(eventMessage(payload, headers...)); err != nil {
		return err
	}
	return w.control.Flush()
}

// headerString is the type of a string header.
const headerString = 7

// eventMessage frames a payload: lengths of all and of the headers, a checksum of
// these, headers, payload, a checksum of everything before; all big-endian.
func eventMessage(payload []byte, headers ...string) []byte {
	var h []byte
	for i := 0; i < len(headers); i += 2 {
		h = append(h, byte(len(headers[i])))
		h = append(h, headers[i]...)
		h = append(h, headerString)
		h = binary.BigEndian.AppendUint16(h, uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(h)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, h...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
