package haproxy

import (
	"strings"

	"github.com/berthhq/berth/domain/balancer"
)

// headers writes what becomes of the headers of requests and answers, as attributes say.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
func (r *render) headers(b *balancer.Balancer, l *balancer.Listener) {
	for _, h := range l.ResponseHeaders() {
		r.line("  http-after-response set-header %s %s", h.Name, quoted(formatted(h.Value)))
	}
	const own = "!{ var(txn.told) -m found }" // an answer of the balancer's own
	if l.Enabled(balancer.ServerHeader) {
		r.line("  http-after-response set-header Server awselb/2.0 if %s", own)
	}
	if b.Enabled(balancer.DropInvalidHeaders) {
		r.line("  http-request del-header [^-A-Za-z0-9] -m reg")
	}
	if plain := map[string]int{"HTTP": 80, "HTTPS": 443}[l.Protocol]; !b.Enabled(balancer.PreserveHost) && l.Port == plain {
		r.line("  http-request set-header Host %%[req.hdr(host),regsub(:%d$,)]", plain)
	}
	r.forwarded(b, l)
	r.trace()
	if b.Enabled(balancer.TLSHeaders) && l.Protocol == "HTTPS" {
		r.line("  http-request set-header %s %%[ssl_fc_protocol]", l.RequestHeader("x_amzn_tls_version"))
		r.line("  http-request set-header %s %%[ssl_fc_cipher]", l.RequestHeader("x_amzn_tls_cipher_suite"))
	}
}

func (r *render) forwarded(b *balancer.Balancer, l *balancer.Listener) {
	client := "%[src]"
	if b.Enabled(balancer.XFFClientPort) {
		client = "%[src]:%[src_port]"
	}
	switch b.Attribute(balancer.XFFMode) {
	case "append":
		r.line("  http-request set-header X-Forwarded-For \"%%[req.fhdr(x-forwarded-for)], %s\" if { req.fhdr(x-forwarded-for) -m found }", client)
		r.line("  http-request set-header X-Forwarded-For %s if !{ req.fhdr(x-forwarded-for) -m found }", client)
	case "remove":
		r.line("  http-request del-header X-Forwarded-For")
	}
	r.line("  http-request set-header X-Forwarded-Proto %s", strings.ToLower(l.Protocol))
	r.line("  http-request set-header X-Forwarded-Port %d", l.Port)
}

// trace adds our part to the header that traces a request, or begins one.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
func (r *render) trace() {
	const (
		name = "X-Amzn-Trace-Id"
		mark = "1-%[date,hex,bytes(8,8),lower]-%[uuid,regsub(-,,g),lower,bytes(0,24)]"
		said = "%[req.fhdr(x-amzn-trace-id),regsub(Self=[^;]*;?,,g)]"
		any  = "{ req.fhdr(x-amzn-trace-id) -m found }"
		root = "{ req.fhdr(x-amzn-trace-id) -m sub Root= }"
	)
	r.line("  http-request set-header %s \"Self=%s;%s\" if %s", name, mark, said, root)
	r.line("  http-request set-header %s \"Root=%s;%s\" if %s !%s", name, mark, said, any, root)
	r.line("  http-request set-header %s Root=%s if !%s", name, mark, any)
}
