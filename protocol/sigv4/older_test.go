package sigv4

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// The example of AWS's documentation, its bucket in the path.
const olderExample = "http://s3.amazonaws.com/johnsmith/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620"

func TestAddressesOfVersion2(t *testing.T) {
	key := &identity.AccessKey{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Active: true}
	end := time.Unix(1175139620, 0)
	for name, c := range map[string]struct {
		method, address string
		now             time.Time
		want            fault.Kind // Server for none
	}{
		"as documented":    {"GET", olderExample, end.Add(-time.Second), fault.Server},
		"at its end":       {"GET", olderExample, end, fault.AccessDenied},
		"another method":   {"PUT", olderExample, end.Add(-time.Second), fault.SignatureMismatch},
		"another object":   {"GET", strings.Replace(olderExample, "puppy", "kitty", 1), end.Add(-time.Second), fault.SignatureMismatch},
		"a later end":      {"GET", strings.Replace(olderExample, "1175139620", "1175139621", 1), end, fault.SignatureMismatch},
		"a part of it":     {"GET", olderExample + "&acl", end.Add(-time.Second), fault.SignatureMismatch},
		"another header":   {"GET", olderExample + "&x-amz-acl=public-read", end.Add(-time.Second), fault.SignatureMismatch},
		"an unsigned word": {"GET", olderExample + "&prefix=x", end.Add(-time.Second), fault.Server},
		"two signatures":   {"GET", olderExample + "&Signature=x", end.Add(-time.Second), fault.AccessDenied},
		"no time":          {"GET", strings.Replace(olderExample, "1175139620", "soon", 1), end.Add(-time.Second), fault.AccessDenied},
	} {
		r := httptest.NewRequest(c.method, c.address, nil)
		claim, err := Read(r)
		if err == nil {
			_, err = NewVerifier().VerifyFlow(r, claim, key, c.now)
		}
		if c.want == fault.Server && err != nil || c.want != fault.Server && !fault.IsKind(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if claim != nil && NewVerifier().Verify(r, claim, key, Hash(nil), c.now) == nil {
			t.Errorf("%s: taken for a service that is not S3", name)
		}
	}
}
