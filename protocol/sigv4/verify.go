package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// MaxSkew is how far a request's time may lie from ours, either way.
const MaxSkew = 15 * time.Minute

// Hash is the body's hash as signatures carry it: hexadecimal SHA-256 of the
// bytes on the wire, compressed if they came so.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Verifier checks claims. It remembers derived signing keys, so that a request
// costs two hashes and one HMAC. Safe for concurrent use.
type Verifier struct{ keys keyring }

// NewVerifier makes a Verifier.
func NewVerifier() *Verifier { return &Verifier{} }

// Verify proves that the owner of key sent r with a body of the given hash. key
// must be the one that claim names.
func (v *Verifier) Verify(r *http.Request, c *Claim, key *identity.AccessKey, bodyHash string, now time.Time) error {
	if c.Older {
		return mismatch("Only S3 takes Signature Version 2.")
	}
	if err := admit(r, c, key, now); err != nil {
		return err
	}
	payload, err := payloadHash(r, c, bodyHash)
	if err != nil {
		return err
	}
	_, err = v.prove(r, c, key, payload)
	return err
}

// admit checks all that needs no signature.
func admit(r *http.Request, c *Claim, key *identity.AccessKey, now time.Time) error {
	if err := checkKey(c, key, now); err != nil {
		return err
	}
	if err := checkTime(c, now); err != nil {
		return err
	}
	return checkHeaders(r, c)
}

// prove checks the signature, with payload in place of the body, and returns the
// key that made it.
func (v *Verifier) prove(r *http.Request, c *Claim, key *identity.AccessKey, payload string) (derivedKey, error) {
	derived, known := v.keys.get(key.Secret, c.date, c.Region, c.Service)
	if !derived.signed(c.signature, stringToSign(c, canonicalRequest(r, c, payload))) {
		return derivedKey{}, mismatch("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if !known { // only proven requests may fill the cache
		v.keys.put(key.Secret, c.date, c.Region, c.Service, derived)
	}
	return derived, nil
}

// signed tells whether the key made the signature of text.
func (k derivedKey) signed(signature string, text []byte) bool {
	mac := hmac.New(sha256.New, k[:])
	mac.Write(text)
	expected := hex.AppendEncode(nil, mac.Sum(nil))
	return subtle.ConstantTimeCompare(expected, []byte(signature)) == 1
}

func stringToSign(c *Claim, canonical []byte) []byte {
	sum := sha256.Sum256(canonical)
	return hex.AppendEncode(c.heading(algorithm), sum[:])
}

// heading begins every text that is signed: algorithm, time and scope.
func (c *Claim) heading(algorithm string) []byte {
	b := make([]byte, 0, 384)
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, c.stamp...)
	b = append(b, '\n')
	for _, part := range []string{c.date, c.Region, c.Service} {
		b = append(b, part...)
		b = append(b, '/')
	}
	return append(b, terminator+"\n"...)
}

func checkKey(c *Claim, key *identity.AccessKey, now time.Time) error {
	if !key.Active {
		return UnknownKey(fault.UnrecognizedClient)
	}
	if subtle.ConstantTimeCompare([]byte(c.Token), []byte(key.SessionToken)) != 1 {
		return UnknownKey(fault.InvalidToken)
	}
	if key.Expired(now) {
		return fault.New(fault.ExpiredToken, "The security token included in the request is expired")
	}
	return nil
}

// UnknownKey is the fault of a key that does not exist (fault.UnrecognizedClient)
// or whose session token is another (fault.InvalidToken).
func UnknownKey(kind fault.Kind) *fault.Fault {
	return fault.New(kind, "The security token included in the request is invalid.")
}

func checkTime(c *Claim, now time.Time) error {
	now = now.UTC()
	life, label := MaxSkew, "15 min."
	if c.Presigned {
		life, label = c.Expires, c.Expires.String()
	}
	switch earliest, latest := now.Add(-life), now.Add(MaxSkew); {
	case c.date != c.At.Format(dateOnly):
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			clip(c.date), c.At.Format(dateOnly), c.stamp)
	case c.At.Before(earliest.Truncate(time.Second)):
		return fault.New(fault.SignatureExpired, "Signature expired: %s is now earlier than %s (%s - %s)",
			c.stamp, earliest.Format(dateTime), now.Format(dateTime), label)
	case c.At.After(latest):
		return fault.New(fault.SignatureExpired, "Signature not yet current: %s is still later than %s (%s + 15 min.)",
			c.stamp, latest.Format(dateTime), now.Format(dateTime))
	}
	return nil
}

// checkHeaders insists that every header AWS gives a meaning to is signed:
// X-Amz-Target names the operation.
func checkHeaders(r *http.Request, c *Claim) error {
	for name := range r.Header {
		if len(name) < len("X-Amz-") || !strings.EqualFold(name[:len("X-Amz-")], "X-Amz-") {
			continue
		}
		if lower := strings.ToLower(name); !c.signs(lower) {
			return mismatch("There were headers present in the request which were not signed: %s", clip(lower))
		}
	}
	for _, name := range c.headers {
		if name != "host" && name != "content-length" && r.Header[http.CanonicalHeaderKey(name)] == nil {
			return mismatch("Header '%s' is signed but absent from the request.", clip(name))
		}
	}
	return nil
}

// payloadHash is the hash that stands in the canonical request. Only S3 may leave
// the body unsigned, by saying so.
func payloadHash(r *http.Request, c *Claim, bodyHash string) (string, error) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if c.Service == "s3" {
		if stated == UnsignedPayload || c.Presigned && stated == "" {
			return UnsignedPayload, nil
		}
		if strings.HasPrefix(stated, "STREAMING-") {
			return "", mismatch("Signed chunks (%s) are not accepted here.", clip(stated))
		}
	}
	if stated != "" && stated != bodyHash {
		return "", mismatch("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return bodyHash, nil
}

func mismatch(format string, args ...any) *fault.Fault {
	return fault.New(fault.SignatureMismatch, format, args...)
}
