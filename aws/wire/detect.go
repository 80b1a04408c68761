package wire

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// Directory knows the services that are offered.
type Directory struct {
	services []*Service
	byTarget map[string]*Service
	byScope  map[string][]*Service
}

// NewDirectory makes the directory of some services.
func NewDirectory(services ...*Service) *Directory {
	d := &Directory{services: services, byTarget: map[string]*Service{}, byScope: map[string][]*Service{}}
	for _, s := range services {
		if s.TargetPrefix != "" {
			d.byTarget[s.TargetPrefix] = s
		}
		d.byScope[s.Scope] = append(d.byScope[s.Scope], s)
	}
	return d
}

// Request is what an HTTP request asks for.
type Request struct {
	Service   *Service   // nil when it names no service of the directory
	Operation *Operation // nil when the service has none of the Name
	Name      string     // of the operation, as asked for
	Protocol  Protocol
	labels    map[string]string // restJson1: from the path
	form      *form             // query protocols: the parameters
}

// Detect finds out what r asks for, given its body as sent. The Request is never
// nil, so that a fault can be answered in the protocol the client speaks.
func (d *Directory) Detect(r *http.Request, body []byte) (*Request, error) {
	q, err := d.detect(r, body)
	if err == nil && q.Operation == nil {
		err = unknownOperation(q)
	}
	return q, err
}

func (d *Directory) detect(r *http.Request, body []byte) (*Request, error) {
	if r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" {
		return d.detectCBOR(r.URL.Path), nil
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return d.detectTarget(target, contentType(r)), nil
	}
	if contentType(r) == "application/x-www-form-urlencoded" {
		plain, err := plainBody(r.Header, body)
		if err != nil {
			return &Request{Protocol: AWSQuery}, err
		}
		return d.detectQuery(r, joinForms(r.URL.RawQuery, string(plain)))
	}
	if strings.Contains(r.URL.RawQuery, "Action=") && (r.URL.Path == "/" || r.URL.Path == "") {
		return d.detectQuery(r, r.URL.RawQuery)
	}
	return d.detectREST(r), nil
}

func contentType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

func joinForms(a, b string) string {
	if a == "" {
		return b
	}
	return a + "&" + b
}

// detectCBOR reads /service/{target prefix}/operation/{name}.
func (d *Directory) detectCBOR(path string) *Request {
	q := &Request{Protocol: CBOR}
	parts := strings.Split(path, "/")
	if n := len(parts); n >= 4 && parts[n-4] == "service" && parts[n-2] == "operation" {
		q.name(d.byTarget[parts[n-3]], parts[n-1])
	}
	return q
}

func (d *Directory) detectTarget(target, contentType string) *Request {
	q := &Request{Protocol: AWSJSON11}
	if contentType == "application/x-amz-json-1.0" {
		q.Protocol = AWSJSON10
	}
	dot := strings.LastIndexByte(target, '.')
	if dot < 0 {
		q.Name = target
		return q
	}
	q.name(d.byTarget[target[:dot]], target[dot+1:])
	if q.Service != nil && contentType == "" && q.Service.Speaks(AWSJSON10) {
		q.Protocol = AWSJSON10
	}
	return q
}

// name fills in the service and its operation.
func (q *Request) name(s *Service, operation string) {
	q.Service, q.Name = s, operation
	if s != nil {
		q.Operation = s.Operation(operation)
	}
}

// detectQuery tells the query services apart by their version and, where a
// version is new or old, by the scope the request is signed for.
func (d *Directory) detectQuery(r *http.Request, text string) (*Request, error) {
	q := &Request{Protocol: AWSQuery}
	f, err := parseForm(text)
	if err != nil {
		return q, err
	}
	q.form = f
	action, version := f.text("Action"), f.text("Version")
	s := d.queryService(ScopeOf(r), version)
	q.name(s, action)
	if s != nil && s.Speaks(EC2Query) {
		q.Protocol = EC2Query
	}
	if action == "" {
		return q, fault.New(fault.MissingParameter, "The request must contain the parameter Action.")
	}
	return q, nil
}

func (f *form) text(name string) string {
	if c := f.child(name); c != nil {
		return c.value
	}
	return ""
}

func (d *Directory) queryService(scope, version string) *Service {
	candidates := d.services
	if scope != "" {
		candidates = d.byScope[scope]
	}
	var fallback *Service
	for _, s := range candidates {
		if !s.Speaks(AWSQuery) && !s.Speaks(EC2Query) {
			continue
		}
		if s.Version == version {
			return s
		}
		if scope != "" {
			fallback = s
		}
	}
	return fallback
}

func (d *Directory) detectREST(r *http.Request) *Request {
	q := &Request{Protocol: RESTJSON, Name: r.Method + " " + r.URL.Path}
	scope := ScopeOf(r)
	for _, s := range d.services {
		if !s.Speaks(RESTJSON) || scope != "" && s.Scope != scope {
			continue
		}
		if op, labels := s.findRoute(r.Method, r.URL.EscapedPath()); op != nil {
			q.Service, q.Operation, q.Name, q.labels = s, op, op.Name, labels
			return q
		}
		if scope != "" {
			q.Service = s
		}
	}
	return q
}

// ScopeOf is the service name in the credential scope, of a signature in the
// header or in the query; empty when the request is not signed.
func ScopeOf(r *http.Request) string {
	credential := ""
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		credential, _, _ = strings.Cut(after, ",")
	} else if _, after, ok := strings.Cut(r.URL.RawQuery, "X-Amz-Credential="); ok {
		after, _, _ = strings.Cut(after, "&")
		credential, _ = url.QueryUnescape(after)
	}
	if credential == "" && sigv4.IsOlder(r.URL.RawQuery) {
		return "s3"
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if len(parts) < 5 {
		return ""
	}
	return parts[len(parts)-2]
}

func unknownOperation(q *Request) error {
	if q.Service == nil {
		return fault.New(fault.UnknownOperation, "The request is for no AWS service that berth offers.").
			WithHint("the services berth offers are listed in docs/compatibility.md")
	}
	if f := q.Protocol; f == AWSQuery || f == EC2Query {
		return fault.New(fault.UnknownOperation, "The action %s is not valid for this web service.", q.Name)
	}
	return fault.New(fault.UnknownOperation, "%s is not an operation of %s.", q.Name, q.Service.Name)
}
