package policy

import (
	"errors"
	"testing"

	versity "github.com/versity/versitygw/iamapi/policy"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity/policy"
)

func one(elements string) string { return `{"Version":"2012-10-17","Statement":{` + elements + `}}` }

const sayMalformed = "MalformedPolicyDocument: "

// TestRefusalsSayTheSame compares sentences, both of which claim to be AWS's. Two are
// left out: an action with two colons, which versitygw takes and IAM does not, and a
// trust policy whose Principal is "*", for which IAM's own answer has been published
// (https://github.com/aws/aws-cdk/issues/5732) and is berth's.
func TestRefusalsSayTheSame(t *testing.T) {
	const a, r, p = `"Effect":"Allow","Action":"s3:ListBucket",`, `"Resource":"arn:aws:s3:::b"`, `"Effect":"Allow","Principal":{"AWS":"123456789012"},`
	for _, c := range []struct {
		use  policy.Use
		text string
	}{
		{policy.Identity, `no json`},
		{policy.Identity, `{"Version":"2012-10-17"}`},
		{policy.Identity, `{"Version":"2013-10-17","Statement":{"Effect":"Allow"}}`},
		{policy.Identity, `{"Version":"2012-10-17","Statement":[]}`},
		{policy.Identity, `{"Version":"2012-10-17","Statement":["a"]}`},
		{policy.Identity, one(a + r + `,"Effect":"Deny"`)},
		{policy.Identity, one(`"Action":"s3:ListBucket",` + r)},
		{policy.Identity, one(`"Effect":"Perhaps","Action":"s3:ListBucket",` + r)},
		{policy.Identity, one(`"Effect":"Allow",` + r)},
		{policy.Identity, one(`"Effect":"Allow","Action":[],` + r)},
		{policy.Identity, one(`"Effect":"Allow","Action":"ListBucket",` + r)},
		{policy.Identity, one(`"Effect":"Allow","Action":"a a:ListBucket",` + r)},
		{policy.Identity, one(a + r + `,"NotAction":"s3:GetObject"`)},
		{policy.Identity, one(a + r + `,"NotResource":"*"`)},
		{policy.Identity, one(a + `"Resource":[]`)},
		{policy.Identity, one(a + `"Resource":"bucket"`)},
		{policy.Identity, one(a + `"Resource":"arn:nowhere:s3:::b"`)},
		{policy.Identity, one(a + `"Resource":"arn:aws:s3::b_b"`)},
		{policy.Identity, one(a + `"Sid":"same"`)},
		{policy.Identity, one(a + r + `,"Principal":"*"`)},
		{policy.Identity, one(a + r + `,"Condition":{"StringLikes":{"a":"b"}}`)},
		{policy.Identity, one(a + r + `,"Condition":{"StringLike":{"a":{}}}`)},
		{policy.Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"same",` + a + r + `},{"Sid":"same",` + a + r + `}]}`},
		{policy.Trust, `no json`},
		{policy.Trust, `{"Version":"2013-10-17","Statement":{"Effect":"Allow"}}`},
		{policy.Trust, `{"Version":"2012-10-17","Statement":[]}`},
		{policy.Trust, one(`"Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Perhaps","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Allow","Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Allow","Principal":{"Server":"a.b"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Allow","NotPrincipal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(`"Effect":"Deny","NotPrincipal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"`)},
		{policy.Trust, one(p + `"Action":"s3:GetObject"`)},
		{policy.Trust, one(p + `"Action":"sts:AssumeRole","Resource":"*"`)},
		{policy.Trust, one(p + `"Action":"sts:AssumeRole","NotResource":"*"`)},
		{policy.Trust, one(p + `"Resource":"*"`)},
		{policy.Trust, `{"Version":"2012-10-17","Statement":[{"Sid":"same",` + p + `"Action":"sts:AssumeRole"},{"Sid":"same",` + p + `"Action":"sts:AssumeRole"}]}`},
	} {
		_, err := policy.Parse(c.text, c.use)
		theirs := versity.Parse(c.text)
		if c.use == policy.Trust {
			theirs = versity.ParseTrust(c.text)
		}
		var f *fault.Fault
		if !errors.As(err, &f) || theirs == nil || sayMalformed+f.Message != theirs.Error() {
			t.Errorf("%s\n  ours %v\ntheirs %v", c.text, err, theirs)
		}
	}
}
