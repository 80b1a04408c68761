package gateway

import (
	"net/http"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Front answers everything that is signed for one service in a way of its own: S3,
// whose bodies flow through, and services that an engine answers. It proves the
// caller by its Passage before it does anything, and answers refusals too.
type Front interface {
	Serve(w http.ResponseWriter, r *http.Request, p *Passage)
}

// Passage is what the gateway does for a Front with one request.
type Passage struct{ x *exchange }

func (g *Gateway) serveFront(front Front, w http.ResponseWriter, r *http.Request) {
	x := &exchange{gateway: g, w: &recorder{ResponseWriter: w}, r: r}
	defer x.conclude()
	_ = x.identify() // never fails
	x.call.Service = wire.ScopeOf(r)
	front.Serve(x.w, r, &Passage{x})
}

// Call is the request so far. Its principal is known once it was proven; Operation
// is the front's to set.
func (p *Passage) Call() *Call { return &p.x.call }

// Claim is what the signature says; nil before anything was proven.
func (p *Passage) Claim() *sigv4.Claim { return p.x.stated }

// Prove checks who sent the request. The body is proven as the Flow is read.
func (p *Passage) Prove() (*sigv4.Flow, error) {
	if err := p.x.claim(); err != nil {
		return nil, err
	}
	key, err := p.x.gateway.keyOf(p.x.stated)
	if err != nil {
		return nil, err
	}
	flow, err := p.x.gateway.verifier.VerifyFlow(p.x.r, p.x.stated, key, p.x.call.Now)
	if err != nil {
		return nil, err
	}
	p.x.knows(key)
	return flow, nil
}

// ProveWhole checks who sent the request and reads its body, of at most limit bytes.
func (p *Passage) ProveWhole(limit int64) (body []byte, err error) {
	if err := p.x.claim(); err != nil {
		return nil, err
	}
	if p.x.body, err = wire.ReadBody(p.x.r, limit); err != nil {
		return nil, err
	}
	return p.x.body, p.x.authenticate()
}

// Note keeps what was asked for the audit line: a map or a struct.
func (p *Passage) Note(parameters any) { p.x.in = parameters }

// Needed adds what the request needs to the audit line.
func (p *Passage) Needed(needs ...Need) { p.x.needed = append(p.x.needed, needs...) }

// Refused notes a refusal that the front answered itself.
func (p *Passage) Refused(f *fault.Fault) { p.x.refused(f) }

// Refuse answers with a refusal in the protocol that the request's headers show.
func (p *Passage) Refuse(err error) { p.x.refuse(err) }

// Body is what ProveWhole read.
func (p *Passage) Body() []byte { return p.x.body }
