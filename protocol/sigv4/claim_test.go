package sigv4

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/fault"
)

const goodAuthorization = "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/ecs/aws4_request, SignedHeaders=host;x-amz-date, " +
	"Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestMalformedClaims(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(goodAuthorization, old, new, 1) }
	for name, c := range map[string]struct {
		authorization, query, date string
		kind                       fault.Kind
		says                       string
	}{
		"nothing":         {"", "", "", fault.MissingAuthentication, "Missing Authentication Token"},
		"algorithm":       {swap("HMAC", "ECDSA"), "", "20261124T120000Z", fault.IncompleteSignature, "Unsupported signing algorithm"},
		"basic":           {"Basic YWRtaW46", "", "20261124T120000Z", fault.IncompleteSignature, "Unsupported signing algorithm"},
		"no equal sign":   {swap("Signature=", "Signature"), "", "20261124T120000Z", fault.IncompleteSignature, "missing equal-sign"},
		"no credential":   {swap("Credential", "Cred"), "", "20261124T120000Z", fault.IncompleteSignature, "requires 'Credential' parameter"},
		"twice":           {goodAuthorization + ", Signature=x", "", "20261124T120000Z", fault.IncompleteSignature, "twice"},
		"short scope":     {swap("/ecs", ""), "", "20261124T120000Z", fault.IncompleteSignature, "exactly 5 slash-delimited elements"},
		"strange region":  {swap("us-east-1", "us:east"), "", "20261124T120000Z", fault.IncompleteSignature, "valid region"},
		"strange service": {swap("ecs", "ECS"), "", "20261124T120000Z", fault.IncompleteSignature, "scoped to a service"},
		"terminator":      {swap("aws4_request", "aws5_request"), "", "20261124T120000Z", fault.IncompleteSignature, "valid terminator"},
		"host unsigned":   {swap("host;", ""), "", "20261124T120000Z", fault.IncompleteSignature, "'Host'"},
		"unsorted":        {swap("host;x-amz-date", "x-amz-date;host"), "", "20261124T120000Z", fault.IncompleteSignature, "sorted"},
		"upper case":      {swap("host", "Host"), "", "20261124T120000Z", fault.IncompleteSignature, "lower-case"},
		"no date":         {goodAuthorization, "", "", fault.IncompleteSignature, "requires existence of either"},
		"bad date":        {goodAuthorization, "", "yesterday", fault.IncompleteSignature, "ISO-8601"},
		"short signature": {swap("0123", ""), "", "20261124T120000Z", fault.IncompleteSignature, "64 lower-case"},
		"both ways":       {goodAuthorization, "X-Amz-Signature=1", "20261124T120000Z", fault.IncompleteSignature, "Only one auth mechanism"},
		"bare presign":    {"", "X-Amz-Signature=1", "", fault.IncompleteSignature, "exactly one 'X-Amz-Algorithm'"},
		"endless presign": {"", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20261124/r/s/aws4_request&X-Amz-Date=20261124T120000Z" +
			"&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=1", "", fault.IncompleteSignature, "X-Amz-Expires"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{URL: &url.URL{Path: "/", RawQuery: c.query}, Header: http.Header{}}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			if c.date != "" {
				r.Header.Set("X-Amz-Date", c.date)
			}
			_, err := Read(r)
			if !fault.IsKind(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v: %s", err, c.kind, c.says)
			}
		})
	}
}

func TestDateHeaderStandsInWhenSigned(t *testing.T) {
	r := &http.Request{URL: &url.URL{Path: "/"}, Header: http.Header{}}
	r.Header.Set("Authorization", strings.Replace(goodAuthorization, "host;x-amz-date", "date;host", 1))
	r.Header.Set("Date", noon.Format(http.TimeFormat))
	claim, err := Read(r)
	if err != nil || !claim.At.Equal(noon) {
		t.Errorf("got %+v, %v", claim, err)
	}
}

// FuzzRead looks for input that panics, or that passes with a scope that would
// not be safe in an ARN.
func FuzzRead(f *testing.F) {
	f.Add(goodAuthorization, "20261124T120000Z", "", "/")
	f.Add("", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20261124/r/s/aws4_request&X-Amz-Date=20261124T120000Z"+
		"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "/a/../b//")
	f.Add("", "", "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620&x-amz-acl=&acl", "/johnsmith/photos/puppy.jpg")
	f.Fuzz(func(t *testing.T, authorization, date, query, path string) {
		r := &http.Request{Method: "POST", RequestURI: path, URL: &url.URL{Path: path, RawQuery: query}, Header: http.Header{}, Host: "h"}
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		if date != "" {
			r.Header["X-Amz-Date"] = []string{date}
		}
		claim, err := Read(r)
		if err != nil {
			if k := fault.Of(err).Kind; k != fault.MissingAuthentication && k != fault.IncompleteSignature && k != fault.AccessDenied {
				t.Fatalf("%v", err)
			}
			return
		}
		if strings.ContainsAny(claim.Region+claim.Service, ":/ \n") || claim.KeyID == "" || !claim.Older && !claim.signs("host") {
			t.Fatalf("unsafe claim %+v", claim)
		}
		if err := NewVerifier().Verify(r, claim, &long, Hash(nil), claim.At); err == nil {
			t.Fatalf("proved without the secret: %+v", claim)
		}
		if _, err := NewVerifier().VerifyFlow(r, claim, &long, claim.At.Add(-time.Second)); err == nil {
			t.Fatalf("let in without the secret: %+v", claim)
		}
	})
}
