package sigv4

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

var (
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	long = identity.AccessKey{ID: "AKIAEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY", Active: true}
	temp = identity.AccessKey{
		ID: "ASIAEXAMPLE", Secret: "s3cret", SessionToken: "token+/=", Active: true, ExpiresAt: noon.Add(time.Hour),
	}
)

// overTheWire sends r to a real server and returns what arrived there.
func overTheWire(t testing.TB, r *http.Request) (*http.Request, string) {
	t.Helper()
	var got *http.Request
	var hash string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, hash = r, Hash(body)
	}))
	defer server.Close()
	// r.Host stays what was signed; only the address is the test server's.
	r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return got, hash
}

func post(t testing.TB, body string, key identity.AccessKey, service string, at time.Time, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", "https://berth.test:4566/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	if change != nil {
		change(r)
	}
	if err := Sign(r, []byte(body), Keys{key.ID, key.Secret, key.SessionToken}, service, "eu-central-1", at); err != nil {
		t.Fatal(err)
	}
	return r
}

func check(r *http.Request, hash string, key identity.AccessKey, now time.Time) (*Claim, error) {
	claim, err := Read(r)
	if err != nil {
		return nil, err
	}
	return claim, NewVerifier().Verify(r, claim, &key, hash, now)
}

func TestSignedRequestsAreProven(t *testing.T) {
	for name, key := range map[string]identity.AccessKey{"long-term": long, "session": temp} {
		t.Run(name, func(t *testing.T) {
			r, hash := overTheWire(t, post(t, `{"maxResults":1}`, key, "ecs", noon, nil))
			claim, err := check(r, hash, key, noon)
			if err != nil {
				t.Fatal(err)
			}
			if claim.KeyID != key.ID || claim.Region != "eu-central-1" || claim.Service != "ecs" || claim.Token != key.SessionToken || !claim.At.Equal(noon) {
				t.Errorf("claim is %+v", claim)
			}
		})
	}
}

func TestRefusalsOfSignedRequests(t *testing.T) {
	const body = `{"maxResults":1}`
	other := long
	other.Secret = "another"
	off := long
	off.Active = false
	stolen := temp
	stolen.SessionToken = "another"
	for name, c := range map[string]struct {
		key    identity.AccessKey // signs
		known  identity.AccessKey // is verified with
		at     time.Time
		change func(*http.Request) // after signing
		kind   fault.Kind
		says   string
	}{
		"another secret":      {long, other, noon, nil, fault.SignatureMismatch, "The request signature we calculated does not match"},
		"inactive key":        {long, off, noon, nil, fault.UnrecognizedClient, "The security token included in the request is invalid."},
		"another token":       {temp, stolen, noon, nil, fault.InvalidToken, "The security token included in the request is invalid."},
		"token on a long key": {temp, long, noon, nil, fault.InvalidToken, "The security token included in the request is invalid."},
		"ended session": {temp, func() identity.AccessKey { k := temp; k.ExpiresAt = noon; return k }(), noon, nil,
			fault.ExpiredToken, "The security token included in the request is expired"},
		"too old": {long, long, noon.Add(-MaxSkew - time.Second), nil, fault.SignatureExpired,
			"Signature expired: 20261124T114459Z is now earlier than 20261124T114500Z (20261124T120000Z - 15 min.)"},
		"too new": {long, long, noon.Add(MaxSkew + time.Second), nil, fault.SignatureExpired,
			"Signature not yet current: 20261124T121501Z is still later than 20261124T121500Z (20261124T120000Z + 15 min.)"},
		"another operation": {long, long, noon, func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DeleteCluster")
		}, fault.SignatureMismatch, "does not match"},
		"another body": {long, long, noon, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", len(body)))), int64(len(body))
		}, fault.SignatureMismatch, "does not match"},
		"another path":   {long, long, noon, func(r *http.Request) { r.URL.Path = "/other" }, fault.SignatureMismatch, "does not match"},
		"another query":  {long, long, noon, func(r *http.Request) { r.URL.RawQuery = "a=b" }, fault.SignatureMismatch, "does not match"},
		"another method": {long, long, noon, func(r *http.Request) { r.Method = "PUT" }, fault.SignatureMismatch, "does not match"},
		"unsigned meaning": {long, long, noon, func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public") },
			fault.SignatureMismatch, "There were headers present in the request which were not signed: x-amz-acl"},
		"signed header gone": {long, long, noon, func(r *http.Request) { r.Header.Del("Content-Type") },
			fault.SignatureMismatch, "Header 'content-type' is signed but absent"},
		"other day in scope": {long, long, noon, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/20261124/", "/20261123/", 1))
		}, fault.SignatureMismatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261123' != '20261124', from '20261124T120000Z'."},
		"other region in scope": {long, long, noon, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-central-1", "us-east-1", 1))
		}, fault.SignatureMismatch, "does not match"},
		"unsigned payload": {long, long, noon, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") },
			fault.SignatureMismatch, "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := post(t, body, c.key, "ecs", c.at, nil)
			if c.change != nil {
				c.change(r)
			}
			got, hash := overTheWire(t, r)
			_, err := check(got, hash, c.known, noon)
			if !fault.IsKind(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v: %s", err, c.kind, c.says)
			}
		})
	}
}

func TestSkewWithinTheLimitIsAccepted(t *testing.T) {
	for _, skew := range []time.Duration{-MaxSkew, MaxSkew, 0} {
		r, hash := overTheWire(t, post(t, "{}", long, "ecs", noon.Add(skew), nil))
		if _, err := check(r, hash, long, noon.Add(300*time.Millisecond)); err != nil {
			t.Errorf("skew %v: %v", skew, err)
		}
	}
}

func TestRepeatedRequestIsLegal(t *testing.T) {
	r, hash := overTheWire(t, post(t, "{}", long, "ecs", noon, nil))
	v := NewVerifier()
	for range 3 {
		claim, err := Read(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(r, claim, &long, hash, noon); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChangedSecretForgetsItsDerivedKey(t *testing.T) {
	v := NewVerifier()
	r, hash := overTheWire(t, post(t, "{}", long, "ecs", noon, nil))
	claim, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(r, claim, &long, hash, noon); err != nil {
		t.Fatal(err)
	}
	rotated := long
	rotated.Secret = "rotated"
	if err := v.Verify(r, claim, &rotated, hash, noon); !fault.IsKind(err, fault.SignatureMismatch) {
		t.Errorf("the old secret still works: %v", err)
	}
}

func TestUnprovenRequestsDoNotFillTheKeyring(t *testing.T) {
	v := NewVerifier()
	r, hash := overTheWire(t, post(t, "{}", long, "ecs", noon, nil))
	claim, _ := Read(r)
	wrong := long
	wrong.Secret = "another"
	if err := v.Verify(r, claim, &wrong, hash, noon); err == nil {
		t.Fatal("accepted")
	}
	if n := len(v.keys.derived); n != 0 {
		t.Errorf("%d keys remembered", n)
	}
}

func presign(t *testing.T, key identity.AccessKey, service, address, payload string, at time.Time) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, err := v4.NewSigner().PresignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.SessionToken},
		r, payload, service, "us-east-1", at)
	if err != nil {
		t.Fatal(err)
	}
	r, err = http.NewRequest("GET", signed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPresignedRequests(t *testing.T) {
	const address = "https://berth.test/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60"
	for name, c := range map[string]struct {
		key     identity.AccessKey
		service string
		payload string
		now     time.Time
		kind    fault.Kind // Server for none
	}{
		"in time":          {temp, "sts", Hash(nil), noon.Add(60 * time.Second), fault.Server},
		"too late":         {temp, "sts", Hash(nil), noon.Add(61 * time.Second), fault.SignatureExpired},
		"unsigned for s3":  {long, "s3", UnsignedPayload, noon, fault.Server},
		"unsigned for sts": {long, "sts", UnsignedPayload, noon, fault.SignatureMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			r, hash := overTheWire(t, presign(t, c.key, c.service, address, c.payload, noon))
			claim, err := check(r, hash, c.key, c.now)
			if c.kind != fault.Server {
				if !fault.IsKind(err, c.kind) {
					t.Errorf("got %v, want %v", err, c.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !claim.Presigned || claim.Expires != time.Minute || claim.Token != c.key.SessionToken {
				t.Errorf("claim is %+v", claim)
			}
		})
	}
}

func TestPathsQueriesAndHeadersInCanonicalForm(t *testing.T) {
	for name, c := range map[string]struct{ service, address string }{
		"arn in path":     {"elasticfilesystem", "https://x.test/2015-02-01/resource-tags/arn%3Aaws%3Aefs%3Aeu%3A1%3Afs%2Ffs-1"},
		"space in path":   {"ecs", "https://x.test/a%20b/c"},
		"s3 key":          {"s3", "https://x.test/bucket/a%20b/%C3%A4+x"},
		"sorted query":    {"ecs", "https://x.test/?b=2&a=2&a=1&c&A=%20x%2By&ä=ö"},
		"tilde and star":  {"ecs", "https://x.test/~a?x=~*'()"},
		"default port":    {"ecs", "https://x.test:443/"},
		"trailing slash":  {"ecs", "https://x.test/a/"},
		"non-latin query": {"ecs", "https://x.test/?%E6%97%A5=%E6%9C%AC"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest("GET", c.address, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Add("X-Amz-Meta", "  a   b ")
			r.Header.Add("X-Amz-Meta", "c")
			signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.service == "s3" })
			keys := aws.Credentials{AccessKeyID: long.ID, SecretAccessKey: long.Secret}
			if err := signer.SignHTTP(context.Background(), keys, r, Hash(nil), c.service, "eu-central-1", noon); err != nil {
				t.Fatal(err)
			}
			got, hash := overTheWire(t, r)
			if _, err := check(got, hash, long, noon); err != nil {
				claim, _ := Read(got)
				t.Errorf("%v\n%s", err, canonicalRequest(got, claim, hash))
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 512)
	r := post(b, string(body), temp, "ecs", noon, nil)
	hash := Hash(body)
	v := NewVerifier()
	b.ReportAllocs()
	for b.Loop() {
		claim, err := Read(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := v.Verify(r, claim, &temp, hash, noon); err != nil {
			b.Fatal(err)
		}
	}
}
