package policy

import (
	"strings"
	"testing"

	"github.com/berthhq/berth/domain/fault"
)

// one wraps the elements of a statement in a document.
func one(elements string) string {
	return `{"Version":"2012-10-17","Statement":{` + elements + `}}`
}

const something = `"Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket"`

func TestParseRefusesInTheWordsOfIAM(t *testing.T) {
	const allow = `"Effect":"Allow",`
	for _, c := range []struct{ text, says, place string }{
		{`no json`, saySyntax, "policy"},
		{`[]`, saySyntax, "policy"},
		{`{} {}`, saySyntax, "policy"},
		{"{\"Version\":\"2012-10-17\",\"Id\":\"\xff\"}", saySyntax, "policy"},
		{`{"Version":"2012-10-17"}`, saySyntax, "Statement"},
		{`{"Version":"2012-10-17","Version":"2012-10-17"}`, saySyntax, "policy"},
		{`{"Version":"2013-10-17","Statement":[]}`, saySyntax, "Version"},
		{`{"Version":"2012-10-17","Statement":[]}`, saySyntax, "Statement"},
		{`{"Version":"2012-10-17","Statement":["a"]}`, saySyntax, "Statement[0]"},
		{`{"Version":"2012-10-17","Id":{},"Statement":{}}`, saySyntax, "Id"},
		{`{"Version":"2012-10-17","More":"a"}`, saySyntax, "More"},
		{one(something), saySyntax, "Statement[0].Effect"},
		{one(`"Effect":"Perhaps",` + something), saySyntax, "Statement[0].Effect"},
		{one(`"Effect":"allow",` + something), sayLegacy, "Statement[0].Effect"},
		{one(allow + something + `,"More":"a"`), saySyntax, "Statement[0].More"},
		{one(allow + something + `,"Sid":[]`), saySyntax, "Statement[0].Sid"},
		{one(allow + something + `,"Sid":"a b"`), "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*", "Statement[0].Sid"},
		{one(allow + something + `,"NotAction":[]`), saySyntax, "Statement[0].Action"},
		{one(allow + something + `,"NotResource":"*"`), saySyntax, "Statement[0].Resource"},
		{one(allow + something + `,"Principal":"*"`), sayPrincipal, "Statement[0].Principal"},
		{one(allow + `"Resource":"*"`), sayNoActions, "Statement[0].Action"},
		{one(allow + `"Action":[],"Resource":"*"`), sayNoActions, "Statement[0].Action"},
		{one(allow + `"Action":{},"Resource":"*"`), saySyntax, "Statement[0].Action"},
		{one(allow + `"Action":[[]],"Resource":"*"`), saySyntax, "Statement[0].Action"},
		{one(allow + `"Action":"ListBucket","Resource":"*"`), sayVendor, "Statement[0].Action"},
		{one(allow + `"NotAction":"","Resource":"*"`), sayVendor, "Statement[0].NotAction"},
		{one(allow + `"Action":"a a:ListBucket","Resource":"*"`), "Vendor a a is not valid", "Statement[0].Action"},
		{one(allow + `"Action":"s*:ListBucket","Resource":"*"`), "Vendor s* is not valid", "Statement[0].Action"},
		{one(allow + `"Action":"s3:List:Bucket","Resource":"*"`), sayColons, "Statement[0].Action"},
		{one(allow + `"Action":"s3:ListBucket"`), sayNoResources, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":[]`), sayNoResources, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":["arn:aws:s3:::b",{}]`), saySyntax, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":""`), `Resource  must be in ARN format or "*".`, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","NotResource":"a:bsd"`), `Partition "bsd" is not valid for resource "arn:bsd:*:*:*:*".`, "Statement[0].NotResource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"aws:s3:::bucket"`), `Partition "s3" is not valid for resource "arn:s3:::bucket:*".`, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws"`), sayResourceless, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:s*:::bucket"`), sayResourceless, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws::::bucket"`), sayLegacy, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:s3::example_bucket"`), sayLegacy, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:ecs:us-east-1:${aws:PrincipalAccount}:task/a"`), sayLegacy, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:s3:::${aws:username"`), sayLegacy, "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:s3:us-east-1::bucket"`), "Resource arn:aws:s3:us-east-1::bucket can not contain region information.", "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:iam:us-east-1::user/a"`), "IAM resource arn:aws:iam:us-east-1::user/a cannot contain region information.", "Statement[0].Resource"},
		{one(allow + `"Action":"s3:ListBucket","Resource":"arn:aws:iam:::bucket"`), `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`, "Statement[0].Resource"},
		{one(allow + something + `,"Condition":[]`), saySyntax, "Statement[0].Condition"},
		{one(allow + something + `,"Condition":{"StringLike":"a"}`), saySyntax, "Statement[0].Condition.StringLike"},
		{one(allow + something + `,"Condition":{"StringLikes":{"a":"b"}}`), saySyntax, "Statement[0].Condition.StringLikes"},
		{one(allow + something + `,"Condition":{"ForAnyValue::StringEquals":{"a":"b"}}`), saySyntax, "Statement[0].Condition.ForAnyValue::StringEquals"},
		{one(allow + something + `,"Condition":{"NullIfExists":{"a":"true"}}`), saySyntax, "Statement[0].Condition.NullIfExists"},
		{one(allow + something + `,"Condition":{"StringLike":{"a":{}}}`), saySyntax, "Statement[0].Condition.StringLike.a"},
		{one(allow + something + `,"Condition":{"StringLike":{"a":null}}`), saySyntax, "Statement[0].Condition.StringLike.a"},
		{one(allow + something + `,"Condition":{"DateGreaterThan":{"a":"soon"}}`), sayLegacy, "Statement[0].Condition.DateGreaterThan.a"},
		{one(allow + something + `,"Condition":{"DateLessThan":{"a":"9223372036854775808"}}`), sayLegacy, "Statement[0].Condition.DateLessThan.a"},
		{one(allow + something + `,"Condition":{"NumericEquals":{"a":"0x10"}}`), sayLegacy, "Statement[0].Condition.NumericEquals.a"},
		{one(allow + something + `,"Condition":{"IpAddress":{"a":"10.0.0.0/33"}}`), sayLegacy, "Statement[0].Condition.IpAddress.a"},
		{one(allow + something + `,"Condition":{"Bool":{"a":"maybe"}}`), sayLegacy, "Statement[0].Condition.Bool.a"},
		{one(allow + something + `,"Condition":{"Bool":{"a":"${aws:SecureTransport}"}}`), sayLegacy, "Statement[0].Condition.Bool.a"},
		{one(allow + something + `,"Condition":{"StringLike":{"a":"${}"}}`), sayLegacy, "Statement[0].Condition.StringLike.a"},
		{one(allow + something + `,"Condition":{"StringLike":{"a":"${aws:username, all}"}}`), sayLegacy, "Statement[0].Condition.StringLike.a"},
		{one(allow + something + `,"Condition":{"BinaryEquals":{"a":"%"}}`), sayLegacy, "Statement[0].Condition.BinaryEquals.a"},
		{`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow",` + something + `},{"Sid":"a","Effect":"Deny",` + something + `}]}`,
			"Statement IDs (SID) in a single policy must be unique.", "Statement[1].Sid"},
	} {
		refused(t, c.text, Identity, c.says, c.place)
	}
}

func refused(t *testing.T, text string, use Use, says, place string) {
	t.Helper()
	_, err := Parse(text, use)
	f := fault.Of(err)
	if err == nil || f.Kind != fault.MalformedPolicyDocument || f.Message != says || !strings.HasPrefix(f.Hint, place+": ") {
		t.Errorf("%s\n got %v\nwant %q at %q", text, err, says, place)
	}
}

func TestEachUseHasItsRules(t *testing.T) {
	const trust = `"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"`
	for _, c := range []struct {
		use               Use
		text, says, place string
	}{
		{Trust, `no json`, sayInvalidJSON, "policy"},
		{Trust, `{"Version":"2012-10-17","Statement":[]}`, sayNoStatement, "Statement"},
		{Trust, `{"Version":"2013","Statement":[]}`, sayVersion, "Version"},
		{Trust, one(trust + `,"Resource":"*"`), "Has prohibited field Resource", "Statement[0].Resource"},
		{Trust, one(trust + `,"NotResource":"*"`), "AssumeRole policy must not contain resources.", "Statement[0].NotResource"},
		{Trust, one(trust + `,"Resource":[]`), "Has prohibited field Resource", "Statement[0].Resource"},
		{Trust, one(`"Effect":"Allow","Action":"sts:AssumeRole"`), "Missing required field Principal", "Statement[0].Principal"},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":"*"}`), "Missing required field Action", "Statement[0].Action"},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":"*"},"Action":"ecs:RunTask"`), saySTS, "Statement[0].Action"},
		{Trust, one(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`), `AssumeRolepolicy contained an invalid principal: "STAR":"*".`, "Statement[0].Principal"},
		{Trust, one(`"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"`), sayNotPrincipal, "Statement[0].NotPrincipal"},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::12345:root"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "AWS":"arn:aws:iam::12345:root"`, "Statement[0].Principal.AWS"},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/*"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*"`, "Statement[0].Principal.AWS"},
		{Trust, one(`"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "SERVICE":"*"`, "Statement[0].Principal.Service"},
		{Trust, one(`"Effect":"Allow","Principal":{"Server":"a.b"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "Server"`, "Statement[0].Principal.Server"},
		{Trust, one(`"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"`), "Missing required field Principal cannot be empty!", "Statement[0].Principal"},
		{Trust, one(`"Effect":"Allow","Principal":["*"],"Action":"sts:AssumeRole"`), "Invalid principal in policy", "Statement[0].Principal"},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":1},"Action":"sts:AssumeRole"`), saySyntax, "Statement[0].Principal.AWS"},
		{Trust, one(trust + `,"Colour":"red"`), "Unknown field Colour", "Statement[0].Colour"},
		{Resource, one(`"Effect":"Allow",` + something), "Missing required field Principal", "Statement[0].Principal"},
		{Resource, one(`"Effect":"Allow","Principal":"*","NotPrincipal":"*",` + something), saySyntax, "Statement[0].Principal"},
		{Resource, one(`"Effect":"Allow","NotPrincipal":"*",` + something), sayNotPrincipal, "Statement[0].NotPrincipal"},
		{Resource, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:group/g"},` + something), `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/g"`, "Statement[0].Principal.AWS"},
		{Resource, one(`"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":[]`), "Missing required field Resource", "Statement[0].Resource"},
	} {
		refused(t, c.text, c.use, c.says, c.place)
	}
}

func TestSizeAndDepthAreBounded(t *testing.T) {
	refused(t, strings.Repeat(" ", maxSize+1), Identity, saySyntax, "policy")
	refused(t, `{"Id":`+strings.Repeat("[", maxDepth+1)+strings.Repeat("]", maxDepth+1)+`}`, Identity, saySyntax, "policy")
}

func TestParseTakesWhatIAMTakes(t *testing.T) {
	for _, c := range []struct {
		use  Use
		text string
	}{
		{Identity, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`},
		{Identity, `{"Id":"x","Statement":{"Effect":"Deny","NotAction":["iam:*","s3-s.x:Get?"],"NotResource":["*"]},"Version":"2008-10-17"}`},
		{Identity, one(`"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:sqs","arn:aws:ec2:us-east-1::x","arn:*:s3:::a","arn:aws-cn:s3:::b/*"]`)},
		{Identity, one(`"Effect":"Allow","Action":"iam:*","Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::123456789012:*","arn:aws:iam"]`)},
		{Identity, one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:us-west-2:123456789012:accesspoint/a"`)},
		{Identity, one(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team, 'all'}/*"`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"DateGreaterThan":{}}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"DateLessThan":{"a":[]}}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"DateLessThan":{"a":"-292275054"}}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"DateLessThanEquals":{"a":"2016-12-13T21:20:37.593194+00:00"}}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":10}}`)},
		{Identity, one(`"Effect":"Allow",` + something + `,"Condition":{"ForAnyValue:StringEqualsIfExists":{"a":"b"}}`)},
		{Trust, one(`"Effect":"Allow","Principal":{"Service":["ecs.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":["sts:AssumeRole","sts:TagSession"]`)},
		{Trust, one(`"Effect":"Allow","Principal":{"AWS":["*","123456789012","arn:aws:iam::123456789012:root","AROAEXAMPLE"]},"Action":"sts:AssumeRole"`)},
		{Trust, one(`"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.example.com"},"Action":"sts:AssumeRoleWithWebIdentity"`)},
		{Resource, one(`"Sid":"with spaces, too","Effect":"Allow","Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},` + something)},
		{Resource, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"},"Action":"ecr:*"`)},
	} {
		d, err := Parse(c.text, c.use)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		again, err := Parse(d.Text(), c.use)
		if err != nil || again.Text() != d.Text() {
			t.Errorf("%s was written as %s (%v)", c.text, d.Text(), err)
		}
	}
}
