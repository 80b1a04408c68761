package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	dateTime   = "20060102T150405Z" // ISO 8601 basic, as X-Amz-Date
	dateOnly   = "20060102"

	maxExpiry     = 7 * 24 * time.Hour // AWS's limit for presigned requests
	maxScopePart  = 64                 // longest region or service name accepted
	maxHeaderList = 100                // most signed headers accepted
)

// Claim is what a request says of its sender. Nothing in it is proven before
// Verify.
type Claim struct {
	KeyID   string
	Region  string
	Service string // signing name: "ecs", "elasticloadbalancing", "monitoring"
	Token   string // session token; empty for long-term keys
	At      time.Time

	Presigned bool
	Older     bool          // an address of S3 by Signature Version 2; At is when it ends
	Expires   time.Duration // how long a presigned request is valid; else zero

	date      string   // of the credential scope, YYYYMMDD
	stamp     string   // the time as sent
	headers   []string // signed header names, lower case, sorted
	signature string   // 64 lower-case hexadecimal digits
}

// Read finds the claim of a request. Its errors are MissingAuthentication and
// IncompleteSignature, and AccessDenied for addresses of Signature Version 2.
func Read(r *http.Request) (*Claim, error) {
	header := r.Header.Values("Authorization")
	presigned := strings.Contains(r.URL.RawQuery, "X-Amz-Signature=")
	switch {
	case len(header) > 1 || len(header) == 1 && presigned:
		return nil, incomplete("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
	case len(header) == 1 && header[0] != "":
		return readHeader(r, header[0])
	case presigned:
		return readQuery(r)
	case IsOlder(r.URL.RawQuery):
		return readOlder(r)
	}
	return nil, fault.New(fault.MissingAuthentication, "Missing Authentication Token").
		WithHint("the request is not signed: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (berth env prints them)")
}

func readHeader(r *http.Request, value string) (*Claim, error) {
	name, rest, _ := strings.Cut(value, " ")
	if name != algorithm {
		return nil, incomplete("Unsupported signing algorithm %q in Authorization header: only %s is accepted.", clip(name), algorithm)
	}
	fields, err := authorizationFields(rest)
	if err != nil {
		return nil, err
	}
	c := &Claim{Token: r.Header.Get("X-Amz-Security-Token"), signature: fields["Signature"]}
	if err := c.readScope(fields["Credential"]); err != nil {
		return nil, err
	}
	if err := c.readHeaderNames(fields["SignedHeaders"]); err != nil {
		return nil, err
	}
	if err := c.readHeaderTime(r.Header); err != nil {
		return nil, err
	}
	return c, c.checkForm()
}

// authorizationFields splits "Credential=..., SignedHeaders=..., Signature=...".
func authorizationFields(s string) (map[string]string, error) {
	fields := make(map[string]string, 3)
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, incomplete("%q not a valid key=value pair (missing equal-sign) in Authorization header.", clip(part))
		}
		if _, twice := fields[name]; twice {
			return nil, incomplete("Authorization header has parameter %q twice.", clip(name))
		}
		fields[name] = value
	}
	var lacks []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			lacks = append(lacks, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if lacks != nil {
		return nil, incomplete("%s", strings.Join(lacks, " "))
	}
	return fields, nil
}

func readQuery(r *http.Request) (*Claim, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, incomplete("The query string cannot be read.")
	}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if len(q[name]) != 1 || q[name][0] == "" {
			return nil, incomplete("Query-string authentication requires exactly one '%s' parameter.", name)
		}
	}
	for _, name := range []string{"X-Amz-Expires", "X-Amz-Security-Token"} {
		if len(q[name]) > 1 {
			return nil, incomplete("Query-string authentication allows one '%s' parameter.", name)
		}
	}
	if a := q.Get("X-Amz-Algorithm"); a != algorithm {
		return nil, incomplete("X-Amz-Algorithm only supports %q", algorithm)
	}
	c := &Claim{Presigned: true, Token: q.Get("X-Amz-Security-Token"), signature: q.Get("X-Amz-Signature")}
	if err := c.readScope(q.Get("X-Amz-Credential")); err != nil {
		return nil, err
	}
	if err := c.readHeaderNames(q.Get("X-Amz-SignedHeaders")); err != nil {
		return nil, err
	}
	if err := c.readTime(q.Get("X-Amz-Date")); err != nil {
		return nil, err
	}
	if c.Expires, err = readExpiry(c.Service, q.Get("X-Amz-Expires")); err != nil {
		return nil, err
	}
	return c, c.checkForm()
}

// readExpiry is as long as header signatures live when the request does not say:
// presigned calls of STS leave it out, S3 insists on it.
func readExpiry(service, s string) (time.Duration, error) {
	if s == "" && service != "s3" {
		return MaxSkew, nil
	}
	seconds, err := strconv.ParseUint(s, 10, 32)
	expires := time.Duration(seconds) * time.Second
	switch {
	case service == "s3" && err == nil && expires == 0:
		return 0, incomplete("X-Amz-Expires must be at least 1")
	case service == "s3" && err == nil && expires > maxExpiry:
		return 0, incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than %d seconds", int(maxExpiry.Seconds()))
	case err != nil || expires > maxExpiry:
		return 0, incomplete("X-Amz-Expires must be a number of seconds, at most %d", int(maxExpiry.Seconds()))
	}
	return expires, nil
}

// readScope reads KEYID/DATE/REGION/SERVICE/aws4_request.
func (c *Claim) readScope(s string) error {
	parts := strings.Split(s, "/")
	if len(parts) != 5 || parts[0] == "" {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", clip(s))
	}
	c.KeyID, c.date, c.Region, c.Service = parts[0], parts[1], parts[2], parts[3]
	switch {
	case !scopeWord(c.Region):
		return incomplete("Credential should be scoped to a valid region, got '%s'.", clip(c.Region))
	case !scopeWord(c.Service):
		return incomplete("Credential should be scoped to a service, got '%s'.", clip(c.Service))
	case parts[4] != terminator:
		return incomplete("Credential should be scoped with a valid terminator: '%s'.", terminator)
	}
	return nil
}

// scopeWord admits what regions and services are named with: the region becomes
// part of ARNs and keys of the store.
func scopeWord(s string) bool {
	return s != "" && len(s) <= maxScopePart && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	})
}

func (c *Claim) readHeaderNames(s string) error {
	c.headers = strings.Split(s, ";")
	switch {
	case len(c.headers) > maxHeaderList || strings.ToLower(s) != s || slices.Contains(c.headers, ""):
		return incomplete("SignedHeaders must be a semicolon-separated list of lower-case header names, got '%s'", clip(s))
	case !slices.IsSorted(c.headers):
		return incomplete("SignedHeaders must be sorted, got '%s'", clip(s))
	case !c.signs("host"):
		return incomplete("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

func (c *Claim) readHeaderTime(h http.Header) error {
	if stamp := h.Get("X-Amz-Date"); stamp != "" {
		return c.readTime(stamp)
	}
	date := h.Get("Date")
	if date == "" {
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if at, err := http.ParseTime(date); err == nil && c.signs("date") {
		return c.readTime(at.UTC().Format(dateTime))
	}
	return incomplete("Date must be a signed header in RFC 1123 form, got '%s'", clip(date))
}

func (c *Claim) readTime(stamp string) error {
	at, err := time.Parse(dateTime, stamp)
	if err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", clip(stamp))
	}
	c.At, c.stamp = at, stamp
	return nil
}

func (c *Claim) checkForm() error {
	if len(c.signature) != 64 || strings.Trim(c.signature, "0123456789abcdef") != "" {
		return incomplete("Signature must be 64 lower-case hexadecimal digits.")
	}
	return nil
}

func (c *Claim) signs(header string) bool {
	_, found := slices.BinarySearch(c.headers, header)
	return found
}

func incomplete(format string, args ...any) *fault.Fault {
	return fault.New(fault.IncompleteSignature, format, args...)
}

// clip keeps what we quote from a request short.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
