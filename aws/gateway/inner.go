package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"github.com/berthhq/berth/domain/fault"
)

// Do authorises and answers a call that did not come over HTTP: one that berth makes
// on somebody's behalf.
func (g *Gateway) Do(ctx context.Context, call *Call, in any) (out any, err error) {
	for service, offer := range g.offers {
		handler := offer.Handlers[call.Operation]
		if service.Name != call.Service || handler == nil {
			continue
		}
		call.In = in
		needed, err := g.authorise(ctx, service, call, in)
		if err == nil {
			out, err = handler(ctx, call, in)
		}
		g.auditInner(call, needed, in, err)
		return out, err
	}
	return nil, fault.New(fault.UnknownOperation, "berth does not support %s of %s yet.", call.Operation, call.Service)
}

// SignedHandler serves a path of our own for a caller who is proven.
type SignedHandler func(w http.ResponseWriter, r *http.Request, call *Call)

// Signed is a handler for Options.Inner whose callers must have signed for the
// service: "ecs" on the agents' sessions, which the official agent signs so. The
// handler can read the body again.
func (g *Gateway) Signed(service string, next SignedHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{gateway: g, w: &recorder{ResponseWriter: w}, r: r}
		x.call.Service = service
		for _, stage := range [...]func(*exchange) error{
			(*exchange).identify, (*exchange).claim, (*exchange).limit, (*exchange).authenticate,
		} {
			if err := stage(x); err != nil {
				refuseInner(w, x.call.ID, fault.Of(err))
				return
			}
		}
		if x.stated.Service != service {
			refuseInner(w, x.call.ID, fault.New(fault.SignatureMismatch, "Credential should be scoped to correct service: '%s'. ", service))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(x.body))
		next(w, r, &x.call)
	})
}

func refuseInner(w http.ResponseWriter, id string, f *fault.Fault) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(f.Kind.Status())
	// A caller who left does not want the answer.
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.Kind.Code(fault.JSON), "message": f.Error()})
}

// serveInner keeps a panic of an inner handler from being the server's.
func (g *Gateway) serveInner(inner http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		g.Log.Error("a handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		panic(http.ErrAbortHandler) // what was sent may be half an answer: end the connection
	}()
	inner.ServeHTTP(w, r)
}
