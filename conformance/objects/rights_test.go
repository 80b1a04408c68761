package objects_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/berthhq/berth/domain/identity"
)

const inBucket = "arn:aws:s3:::" + name

func TestWhatIsNotAllowedIsDenied(t *testing.T) {
	h, c := withBucket(t)
	put(t, c, "open/k", []byte("x"))
	put(t, c, "shut/k", []byte("y"))
	h.rules.only("s3:GetObject "+inBucket+"/open/k", "s3:PutObject "+inBucket+"/open/new", "s3:DeleteObject "+inBucket+"/open/k")
	ctx := t.Context()
	get(t, c, "open/k")
	in := func(key string) *string { return &key }
	bucket := in(name)
	for what, c2 := range map[string]struct {
		call func() error
		need string
	}{
		"another object": {func() error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: in("shut/k")})
			return err
		}, "s3:GetObject on resource: \"" + inBucket + "/shut/k\""},
		"a version": {func() error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: in("open/k"), VersionId: in("null")})
			return err
		}, "s3:GetObjectVersion on"},
		"a write": {func() error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: in("open/k")})
			return err
		}, "s3:PutObject on"},
		"a write with tags": {func() error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: in("open/new"), Tagging: in("a=b")})
			return err
		}, "s3:PutObjectTagging on"},
		"a list": {func() error { _, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}); return err }, "s3:ListBucket on resource: \"" + inBucket + "\""},
		"a copy's source": {func() error {
			_, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: in("open/new"), CopySource: in(name + "/shut/k")})
			return err
		}, "s3:GetObject on resource: \"" + inBucket + "/shut/k\""},
		"what is not there": {func() error {
			_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: in("shut/none")})
			return err
		}, "s3:GetObject on"},
		"a bucket that is not there": {func() error {
			_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: in("nobodys")})
			return err
		}, "s3:ListBucket on resource: \"arn:aws:s3:::nobodys\""},
		"a policy":    {func() error { _, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket}); return err }, "s3:GetBucketPolicy on"},
		"all buckets": {func() error { _, err := c.ListBuckets(ctx, nil); return err }, "s3:ListAllMyBuckets on"},
	} {
		t.Run(what, func(t *testing.T) { refused(t, c2.call(), "AccessDenied", c2.need) })
	}
	gone := must[*s3.DeleteObjectsOutput](t)(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: in("open/k")}, {Key: in("shut/k")}}}}))
	if len(gone.Deleted) != 1 || *gone.Deleted[0].Key != "open/k" || len(gone.Errors) != 1 || *gone.Errors[0].Code != "AccessDenied" {
		t.Errorf("deleted %+v, errors %+v", gone.Deleted, gone.Errors)
	}
}

func TestWhoMayNotListDoesNotLearnWhatIsThere(t *testing.T) {
	h, c := withBucket(t)
	key := inBucket + "/none"
	h.rules.only("s3:GetObject " + key)
	_, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("none")})
	refused(t, err, "Forbidden", "")
	h.rules.only("s3:GetObject "+key, "s3:ListBucket "+inBucket)
	_, err = c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("none")})
	refused(t, err, "NotFound", "")
}

func TestConditionKeysOfAList(t *testing.T) {
	h, c := withBucket(t)
	h.rules.only("s3:ListBucket " + inBucket)
	must[*s3.ListObjectsV2Output](t)(c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name), Prefix: aws.String("home/me/"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(5)}))
	keys := h.rules.asked[0].Keys
	for key, want := range map[string]string{"s3:prefix": "home/me/", "s3:delimiter": "/", "s3:max-keys": "5", "s3:authType": "REST-HEADER", "s3:ResourceAccount": "123456789012"} {
		if !slices.Equal(keys[key], []string{want}) {
			t.Errorf("%s is %v", key, keys[key])
		}
	}
}

func TestBucketsOfOthersAreShutUntilTheirPolicySpeaks(t *testing.T) {
	h, c := withBucket(t)
	ctx := t.Context()
	put(t, c, "k", []byte("x"))
	other := h.AddKey(t, identity.AccessKey{ID: "AKIAIOSFODNN7ANOTHER", Secret: "another", Principal: identity.RootPrincipal("210987654321"), Active: true})
	guest := s3.NewFromConfig(h.Config(other), func(o *s3.Options) { o.UsePathStyle = true })
	read := func() error {
		_, err := guest.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k")})
		return err
	}
	refused(t, read(), "AccessDenied", "no resource-based policy allows the s3:GetObject action")
	_, err := guest.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(name), Key: aws.String("k"), CopySource: aws.String(name + "/k")})
	refused(t, err, "AccessDenied", "")
	if list := must[*s3.ListBucketsOutput](t)(guest.ListBuckets(ctx, nil)); len(list.Buckets) != 0 {
		t.Errorf("sees %+v", list.Buckets)
	}
	_, err = guest.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	refused(t, err, "BucketAlreadyExists", "not available")
	const text = `{"Version":"2012-10-17"}`
	must[*s3.PutBucketPolicyOutput](t)(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(name), Policy: aws.String(text)}))
	if got := must[*s3.GetBucketPolicyOutput](t)(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(name)})); *got.Policy != text {
		t.Errorf("policy %s", *got.Policy)
	}
	if err := read(); err != nil { // the rules, which stand for the policy, allow
		t.Error(err)
	}
	must[*s3.DeleteBucketPolicyOutput](t)(c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(name)}))
	refused(t, read(), "AccessDenied", "")
}

func TestWhatIsNotDone(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	_, err := c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: aws.String(name), LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{}}})
	refused(t, err, "NotImplemented", "lifecycle")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), ServerSideEncryption: types.ServerSideEncryptionAwsKms})
	refused(t, err, "NotImplemented", "it encrypts nothing at rest")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), ACL: types.ObjectCannedACLPublicRead})
	refused(t, err, "AccessControlListNotSupported", "")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("a//b")})
	refused(t, err, "InvalidArgument", "cannot be kept here")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String(".sgwtmp/x")})
	refused(t, err, "InvalidArgument", "cannot be kept here")
}

func TestTheAuditTellsWho(t *testing.T) {
	h, c := withBucket(t)
	put(t, c, "k", []byte("x"))
	until(t, func() error { // it is noted when the answer is through
		lines := h.Audit.All()
		last := lines[len(lines)-1]
		for _, want := range []string{`"eventSource":"s3.amazonaws.com"`, `"eventName":"PutObject"`, `"arn":"arn:aws:iam::123456789012:root"`, `"httpStatus":200`, fmt.Sprintf(`"bucketName":%q`, name), `"key":"k"`} {
			if !strings.Contains(last, want) {
				return fmt.Errorf("%s is not in %s", want, last)
			}
		}
		return nil
	})
}
