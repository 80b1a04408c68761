// Package relay lets AWS-compatible engines answer for services that berth does not
// do itself: DynamoDB first, and whatever else the operator maps. A request is proven
// and authorised here as any other, signed anew with the engine's own keys, and
// forwarded.
//
// An engine has one tenant: names of tables and queues go through as they are, whoever
// asks. Who needs accounts or regions apart maps the names by policy.
package relay

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// maxBody is the largest request that goes to an engine, in bytes: DynamoDB's limit.
const maxBody = 16 << 20

// Authoriser tells whether the caller may do what is needed. Its refusal is a
// fault.AccessDenied.
type Authoriser interface {
	Authorise(ctx context.Context, call *gateway.Call, need gateway.Need) error
}

// Engine is what answers for a service.
type Engine struct {
	Service string // its name in signatures: "dynamodb"
	URL     *url.URL
	Keys    sigv4.Keys
	Region  string // that the engine knows; empty for the caller's
}

// Relay is a gateway.Front for one engine.
type Relay struct {
	engine     Engine
	authoriser Authoriser
	log        *slog.Logger
	transport  http.RoundTripper
	schemas    schemas // of DynamoDB's tables
}

// New makes a Relay.
func New(e Engine, a Authoriser, log *slog.Logger) *Relay {
	transport := &http.Transport{
		MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression: true, // answers carry checksums of themselves
	}
	return &Relay{engine: e, authoriser: a, log: log, transport: transport}
}

// Serve implements gateway.Front.
func (r *Relay) Serve(w http.ResponseWriter, req *http.Request, p *gateway.Passage) {
	if err := r.admit(req, p); err != nil {
		p.Refuse(err)
		return
	}
	proxy := &httputil.ReverseProxy{
		Transport: r.transport, FlushInterval: -1, ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
		Rewrite: func(*httputil.ProxyRequest) {}, // req is what goes out
		ModifyResponse: func(answer *http.Response) error {
			if answer.StatusCode >= http.StatusBadRequest {
				p.Refused(fault.New(fault.Client, "The engine answers %s.", answer.Status))
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { p.Refuse(r.unreachable(err)) },
	}
	out, err := r.outward(req, p.Call(), p.Body())
	if err != nil {
		p.Refuse(err)
		return
	}
	proxy.ServeHTTP(w, out)
}

// admit proves and authorises.
func (r *Relay) admit(req *http.Request, p *gateway.Passage) error {
	body, err := p.ProveWhole(maxBody)
	if err != nil {
		return err
	}
	if p.Claim().Service != r.engine.Service {
		return fault.New(fault.SignatureMismatch, "Credential should be scoped to correct service: '%s'. ", r.engine.Service)
	}
	call := p.Call()
	if call.Operation, err = operation(req, body); err != nil {
		return err
	}
	needs, err := r.needs(req.Context(), call, body)
	if err != nil {
		return err
	}
	p.Note(noted(needs))
	p.Needed(needs...)
	for _, need := range needs {
		if err := r.authoriser.Authorise(req.Context(), call, need); err != nil {
			return err
		}
	}
	return nil
}

// needs are DynamoDB's to the table and key, and those of other services to the
// action.
func (r *Relay) needs(ctx context.Context, call *gateway.Call, body []byte) ([]gateway.Need, error) {
	if r.engine.Service == "dynamodb" {
		return r.dynamoNeeds(ctx, call, body)
	}
	action := call.Operation
	if action == "" { // REST: only who may do everything may do what we cannot name
		action = "*"
	}
	return []gateway.Need{{Action: r.engine.Service + ":" + action}}, nil
}

func noted(needs []gateway.Need) map[string]any {
	var resources []string
	for _, need := range needs {
		resources = append(resources, need.Resources...)
	}
	return map[string]any{"resources": resources}
}

// outward is the request as the engine gets it.
func (r *Relay) outward(req *http.Request, call *gateway.Call, body []byte) (*http.Request, error) {
	to := *r.engine.URL
	to.Path, to.RawQuery = strings.TrimSuffix(to.Path, "/")+req.URL.Path, unsigned(req.URL.Query()).Encode()
	out, err := http.NewRequestWithContext(req.Context(), req.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range req.Header {
		if passes(name) {
			out.Header[name] = values
		}
	}
	return out, r.sign(out, call, body)
}

func (r *Relay) sign(out *http.Request, call *gateway.Call, body []byte) error {
	region := r.engine.Region
	if region == "" {
		region = call.Scope.Region
	}
	return sigv4.Sign(out, body, r.engine.Keys, r.engine.Service, region, call.Now)
}

// passes tells whether a header means something to the engine.
func passes(name string) bool {
	switch name {
	case "Content-Type", "Content-Encoding", "Accept", "Smithy-Protocol":
		return true
	case "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256":
		return false
	}
	return strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "X-Amzn-Query-Mode")
}

// unsigned is a query without the signature of a presigned request.
func unsigned(q url.Values) url.Values {
	for name := range q {
		if strings.HasPrefix(name, "X-Amz-") {
			q.Del(name)
		}
	}
	return q
}

func (r *Relay) unreachable(err error) error {
	return fault.New(fault.Unavailable, "The engine of %s does not answer.", r.engine.Service).Because(err).
		WithHint("is %s up? --engine maps it", r.engine.URL.Redacted())
}

// ask calls an operation of the engine for ourselves.
func (r *Relay) ask(ctx context.Context, call *gateway.Call, target string, body []byte) (status int, answer []byte, err error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, r.engine.URL.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	out.Header.Set("Content-Type", "application/x-amz-json-1.0")
	out.Header.Set("X-Amz-Target", target)
	if err := r.sign(out, call, body); err != nil {
		return 0, nil, err
	}
	got, err := r.transport.RoundTrip(out)
	if err != nil {
		return 0, nil, r.unreachable(err)
	}
	defer got.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(got.Body, 1<<20))
	return got.StatusCode, answer, err
}
