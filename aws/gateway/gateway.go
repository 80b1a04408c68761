package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/berthhq/berth/aws/wire"
	"github.com/berthhq/berth/domain/identity"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Keys finds the access key that a request names.
type Keys interface {
	Key(id string) (identity.AccessKey, bool)
}

// Offer is one service: how it looks on the wire, and what answers it.
type Offer struct {
	Service  *wire.Service
	Handlers map[string]Handler
	// Needs says by operation what a call must be allowed to do; an operation
	// that is not listed needs its own action on "*".
	Needs map[string]Needs
}

// Options are what a Gateway is made of.
type Options struct {
	Offers []Offer
	// Fronts answer all that is signed for a service, by its name in signatures,
	// past the pipeline.
	Fronts     map[string]Front
	Keys       Keys
	Authoriser Authoriser
	// Inner serves the paths that are not AWS's: /_berth/..., the agents'
	// sessions, the registry. It checks its callers itself, by Signed or by
	// tokens of its own. It must not have a pattern for "/". nil for none.
	Inner *http.ServeMux
	Clock func() time.Time
	Log   *slog.Logger // for people who run berth
	Audit *slog.Logger // of package trail: one record for each request
}

// Gateway serves all AWS services on one port.
type Gateway struct {
	Options
	directory *wire.Directory
	offers    map[*wire.Service]Offer
	verifier  *sigv4.Verifier
}

// New makes a Gateway. It fails when a handler is wired to an operation that the
// model does not have, or needs to one without a handler.
func New(o Options) (*Gateway, error) {
	g := &Gateway{Options: o, offers: map[*wire.Service]Offer{}, verifier: sigv4.NewVerifier()}
	services := make([]*wire.Service, 0, len(o.Offers))
	for _, offer := range o.Offers {
		for name := range offer.Handlers {
			if op := offer.Service.Operation(name); op == nil || !op.Modelled() {
				return nil, fmt.Errorf("%s has a handler for %s, which its model does not have", offer.Service.Name, name)
			}
		}
		for name := range offer.Needs {
			if offer.Handlers[name] == nil {
				return nil, fmt.Errorf("%s says what %s needs, but has no handler for it", offer.Service.Name, name)
			}
		}
		g.offers[offer.Service] = offer
		services = append(services, offer.Service)
	}
	g.directory = wire.NewDirectory(services...)
	return g, nil
}

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if front := g.Fronts[wire.ScopeOf(r)]; front != nil {
		g.serveFront(front, w, r)
		return
	}
	if g.Inner != nil {
		if inner, pattern := g.Inner.Handler(r); pattern != "" {
			g.serveInner(inner, w, r)
			return
		}
	}
	g.serveAWS(w, r)
}
