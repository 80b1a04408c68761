package identity_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// with is who the keys of a session are.
func (b *berth) with(c *types.Credentials) aws.Config {
	return b.configOf(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// TestARoleIsAssumedFromOutside has a user become a role who must know an external id
// and say a team; the role may stop tasks of that team only, and a session of it less.
func TestARoleIsAssumedFromOutside(t *testing.T) {
	t.Parallel()
	name, as := here.user(t, "user", allow("sts:AssumeRole sts:TagSession", "*"))
	trust := policy(
		statement{Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + account + ":user/" + name}, Action: []string{"sts:AssumeRole"}}.when("StringEquals", "sts:ExternalId", "7-of-9"),
		statement{Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + account + ":user/" + name}, Action: []string{"sts:TagSession"}}.when("StringLike", "aws:RequestTag/team", "*"),
	)
	role := here.roleOf(t, "role", trust, allow("ecs:StopTask", "*").when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"), allow("ecs:DescribeTasks", "*"))
	in := &sts.AssumeRoleInput{RoleArn: aws.String(roleARN(role)), RoleSessionName: aws.String("me"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("vision")}}}
	_, err := sts.NewFromConfig(as).AssumeRole(t.Context(), in)
	refused(t, err, "AccessDenied", "User: arn:aws:iam::"+account+":user/"+name+" is not authorized to perform: sts:AssumeRole on resource: "+roleARN(role))
	in.ExternalId = aws.String("7-of-9")
	become := func() aws.Config {
		t.Helper()
		out, err := sts.NewFromConfig(as).AssumeRole(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		return here.with(out.Credentials)
	}
	vision := ecs.NewFromConfig(become())
	in.Policy = policy(allow("ecs:DescribeTasks", "*"))
	narrow := ecs.NewFromConfig(become())

	ours, theirs := here.tagged(t, "vision"), here.tagged(t, "audio")
	stop := func(c *ecs.Client, task string) error {
		_, err := c.StopTask(t.Context(), &ecs.StopTaskInput{Task: &task})
		return err
	}
	refused(t, stop(narrow, ours), "AccessDeniedException", "because no session policy allows the ecs:StopTask action")
	if _, err := narrow.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{ours}}); err != nil {
		t.Error(err)
	}
	refused(t, stop(vision, theirs), "AccessDeniedException", "assumed-role/"+role+"/me is not authorized to perform: ecs:StopTask on resource: "+theirs)
	if err := stop(vision, ours); err != nil {
		t.Error(err)
	}
}

// tagged is a task of a team.
func (b *berth) tagged(t *testing.T, team string) string {
	t.Helper()
	d := onEC2("wait")
	d.Family = aws.String(nameOf(t, team))
	return b.run(t, d, func(in *ecs.RunTaskInput) {
		in.Tags = []ecstypes.Tag{{Key: aws.String("team"), Value: &team}}
	})
}

// TestRevokedKeysAreRefused uses a user's key and a session of it, then takes the key
// away; and keys and tokens that nobody has.
func TestRevokedKeysAreRefused(t *testing.T) {
	t.Parallel()
	name, as := here.user(t, "user")
	whoami := func(c aws.Config) error {
		_, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
		return err
	}
	got, err := sts.NewFromConfig(as).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	temporary := here.with(got.Credentials)
	for _, c := range []aws.Config{as, temporary} {
		me, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
		if err != nil || *me.Arn != "arn:aws:iam::"+account+":user/"+name {
			t.Errorf("%s %v", shown(me), err)
		}
	}
	keys, err := as.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set := func(status iamtypes.StatusType) {
		t.Helper()
		if _, err := here.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: &name, AccessKeyId: &keys.AccessKeyID, Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	const unknown = "The security token included in the request is invalid"
	set(iamtypes.StatusTypeInactive)
	refused(t, whoami(as), "InvalidClientTokenId", unknown)
	set(iamtypes.StatusTypeActive)
	if err := whoami(as); err != nil {
		t.Error(err)
	}
	if _, err := here.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &keys.AccessKeyID}); err != nil {
		t.Fatal(err)
	}
	refused(t, whoami(as), "InvalidClientTokenId", unknown)
	refused(t, whoami(here.configOf(keys.AccessKeyID, "another secret", "")), "InvalidClientTokenId")
	refused(t, whoami(here.configOf(*got.Credentials.AccessKeyId, *got.Credentials.SecretAccessKey, "another token")), "InvalidClientTokenId", unknown)
	refused(t, whoami(here.configOf(*got.Credentials.AccessKeyId, "another secret", *got.Credentials.SessionToken)), "SignatureDoesNotMatch")
}

// TestPresignedAddressesEnd gives an address of an object to somebody without keys, and
// has it be too old.
func TestPresignedAddressesEnd(t *testing.T) {
	t.Parallel()
	here.bucketWith(t, "presigned-ends", "model.bin", "weights")
	_, as := here.user(t, "user", allow("s3:GetObject", "arn:aws:s3:::presigned-ends/*"))
	signer := s3.NewPresignClient(objectsOf(as))
	address := func(expires time.Duration) string {
		t.Helper()
		signed, err := signer.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("presigned-ends"), Key: aws.String("model.bin")}, s3.WithPresignExpires(expires))
		if err != nil {
			t.Fatal(err)
		}
		return signed.URL
	}
	long := address(time.Hour)
	if status, body := ask(t, long); status != http.StatusOK || body != "weights" {
		t.Errorf("%d %s", status, body)
	}
	short := address(time.Second)
	eventually(t, "the end of an address", func() bool {
		status, body := ask(t, short)
		return status == http.StatusForbidden && has(body, []string{"<Code>AccessDenied</Code>", "Request has expired"})
	})
	if status, body := ask(t, strings.Replace(long, "model.bin", "other.bin", 1)); status != http.StatusForbidden || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Errorf("another object: %d %s", status, body)
	}
}

// ask gets an address with no keys at all.
func ask(t *testing.T, address string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(text)
}
