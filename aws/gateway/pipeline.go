package gateway

import (
	"net/http"
	"time"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// stages are what happens to every request, in this order. The first that fails
// ends it: its fault is the answer. Around them all, serveAWS recovers from
// panics and writes the audit line.
//
// A body is not looked into before its sender is proven, so authenticate comes
// before detect.
var stages = [...]func(*exchange) error{
	(*exchange).identify,     // a request id, the time
	(*exchange).claim,        // what the signature says
	(*exchange).limit,        // the body, not larger than the service takes
	(*exchange).authenticate, // the key, and the signature over all of it
	(*exchange).detect,       // service, operation, protocol, handler
	(*exchange).decode,       // the body becomes a struct, within the model's constraints
	(*exchange).authorise,    // may this principal do that, to these resources?
	(*exchange).handle,       // the service's own code
	(*exchange).encode,       // the struct becomes the answer
}

// exchange is one request on its way through the stages.
type exchange struct {
	gateway *Gateway
	w       *recorder
	r       *http.Request

	call    Call
	stated  *sigv4.Claim  // nil before claim
	body    []byte        // as sent
	request *wire.Request // nil before detect
	handler Handler
	in, out any
	needed  []Need       // nil before authorise
	fault   *fault.Fault // the answer was this; nil when it was out
}

func (g *Gateway) serveAWS(w http.ResponseWriter, r *http.Request) {
	x := &exchange{gateway: g, w: &recorder{ResponseWriter: w}, r: r}
	defer x.conclude()
	for _, stage := range stages {
		if err := stage(x); err != nil {
			x.refuse(err)
			return
		}
	}
}

// conclude ends the request whatever became of it.
func (x *exchange) conclude() {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		x.panicked(p)
	}
	x.audit(x.gateway.Clock().Sub(x.call.Now))
}

// refuse answers with the fault in err, unless an answer is under way already.
func (x *exchange) refuse(err error) {
	f := fault.Of(err)
	x.refused(f)
	if x.w.status != 0 {
		return
	}
	if x.request == nil {
		// The headers alone tell which form the caller understands.
		x.request, _ = x.gateway.directory.Detect(x.r, nil)
		x.name()
	}
	if err := x.request.Refuse(x.w, x.call.ID, inWordsOf(x.request.Protocol.Family(), f)); err != nil {
		x.gateway.Log.Debug("the caller left before its answer", "request", x.call.ID, "error", err)
	}
}

// refused notes that the answer is a fault.
func (x *exchange) refused(f *fault.Fault) {
	x.fault = f
	if f.Kind.OurFault() {
		x.gateway.Log.Error("request failed", "request", x.call.ID, "service", x.call.Service, "operation", x.call.Operation,
			"message", f.Message, "cause", f.Cause)
	}
}

// recorder remembers whether, and with what, the answer began.
type recorder struct {
	http.ResponseWriter
	status int // 0 before the header
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// elapsed in milliseconds, for logs.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
