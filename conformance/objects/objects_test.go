package objects_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/berthhq/berth/aws/gateway/gatewaytest"
)

func makeBucket(t *testing.T, c *s3.Client, name string) {
	t.Helper()
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    &name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(gatewaytest.Scope.Region)},
	}))
}

func TestBucketsFromMakingToDeleting(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	list := must[*s3.ListBucketsOutput](t)(c.ListBuckets(ctx, nil))
	if len(list.Buckets) != 1 || *list.Buckets[0].Name != name || time.Since(*list.Buckets[0].CreationDate).Abs() > time.Hour {
		t.Errorf("buckets %+v", list.Buckets)
	}
	where := must[*s3.GetBucketLocationOutput](t)(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String(name)}))
	if string(where.LocationConstraint) != gatewaytest.Scope.Region {
		t.Errorf("in %s", where.LocationConstraint)
	}
	head := must[*s3.HeadBucketOutput](t)(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(name)}))
	if aws.ToString(head.BucketRegion) != gatewaytest.Scope.Region {
		t.Errorf("head %+v", head)
	}
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(name), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(gatewaytest.Scope.Region)}})
	refused(t, err, "BucketAlreadyOwnedByYou", "you already own it")
	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("elsewhere")})
	refused(t, err, "IllegalLocationConstraintException", "unspecified location constraint")
	put(t, c, "k", []byte("v"))
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(name)})
	refused(t, err, "BucketNotEmpty", "")
	must[*s3.DeleteObjectOutput](t)(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("k")}))
	must[*s3.DeleteBucketOutput](t)(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(name)}))
	_, err = c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(name)})
	refused(t, err, "NoSuchBucket", "The specified bucket does not exist")
}

func TestObjectsComeBackAsTheyWere(t *testing.T) {
	_, c := withBucket(t)
	for _, key := range []string{"a", "a b/ü+%&?#=", "deep/er/and/deeper", "sign~(!)*'.txt"} {
		for _, size := range []int{0, 1, 70_000} {
			body := random(t, size)
			put(t, c, key, body)
			if got := get(t, c, key); !bytes.Equal(got, body) {
				t.Errorf("%s: %d bytes, want %d", key, len(got), size)
			}
		}
	}
	ctx := t.Context()
	must[*s3.PutObjectOutput](t)(c.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(name), Key: aws.String("meta"), Body: strings.NewReader("0123456789"), ContentType: aws.String("text/x"), ContentEncoding: aws.String("zip"),
		Metadata: map[string]string{"owner": "me"}, Tagging: aws.String("team=ml&x=y"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	}))
	head := must[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("meta"), ChecksumMode: types.ChecksumModeEnabled}))
	if *head.ContentType != "text/x" || *head.ContentEncoding != "zip" || head.Metadata["owner"] != "me" || *head.ContentLength != 10 || aws.ToString(head.ChecksumSHA256) == "" {
		t.Errorf("head %+v", head)
	}
	tags := must[*s3.GetObjectTaggingOutput](t)(c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: aws.String(name), Key: aws.String("meta")}))
	if len(tags.TagSet) != 2 {
		t.Errorf("tags %+v", tags.TagSet)
	}
	part := must[*s3.GetObjectOutput](t)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("meta"), Range: aws.String("bytes=2-4")}))
	if text := must[[]byte](t)(io.ReadAll(part.Body)); string(text) != "234" || *part.ContentRange != "bytes 2-4/10" {
		t.Errorf("range %q %s", text, *part.ContentRange)
	}
}

func TestConditionsHold(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	tag := put(t, c, "k", []byte("one")).ETag
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), IfNoneMatch: aws.String("*"), Body: strings.NewReader("two")})
	refused(t, err, "PreconditionFailed", "")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k"), IfMatch: aws.String(`"0"`)})
	refused(t, err, "PreconditionFailed", "")
	must[*s3.PutObjectOutput](t)(c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), IfMatch: tag, Body: strings.NewReader("three")}))
	if got := get(t, c, "k"); string(got) != "three" {
		t.Errorf("got %s", got)
	}
}

func TestListsCopiesAndDeletes(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	for n := range 7 {
		put(t, c, fmt.Sprintf("in/%d", n), []byte("x"))
	}
	put(t, c, "out", []byte("y"))
	var keys []string
	for pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: aws.String(name), Prefix: aws.String("in/"), MaxKeys: aws.Int32(3)}); pages.HasMorePages(); {
		for _, o := range must[*s3.ListObjectsV2Output](t)(pages.NextPage(ctx)).Contents {
			keys = append(keys, *o.Key)
		}
	}
	top := must[*s3.ListObjectsV2Output](t)(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(name), Delimiter: aws.String("/")}))
	if len(keys) != 7 || len(top.CommonPrefixes) != 1 || len(top.Contents) != 1 {
		t.Errorf("keys %v, top %+v", keys, top)
	}
	must[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(name), Key: aws.String("copy of it"), CopySource: aws.String(name + "/in/1")}))
	if got := get(t, c, "copy of it"); string(got) != "x" {
		t.Errorf("copied %q", got)
	}
	gone := must[*s3.DeleteObjectsOutput](t)(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: aws.String(name), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("in/0")}, {Key: aws.String("in/1")}, {Key: aws.String("../out")},
	}}}))
	if len(gone.Deleted) != 2 || len(gone.Errors) != 1 || *gone.Errors[0].Code != "InvalidArgument" {
		t.Errorf("deleted %+v, errors %+v", gone.Deleted, gone.Errors)
	}
}

func TestUploadsInParts(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	begun := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("big")}))
	parts := [][]byte{random(t, 5<<20), random(t, 5<<20), random(t, 10)}
	var done []types.CompletedPart
	for n, body := range parts {
		out := must[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String(name), Key: aws.String("big"), UploadId: begun.UploadId, PartNumber: aws.Int32(int32(n + 1)), Body: bytes.NewReader(body)}))
		done = append(done, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(int32(n + 1)), ChecksumCRC32: out.ChecksumCRC32})
	}
	listed := must[*s3.ListPartsOutput](t)(c.ListParts(ctx, &s3.ListPartsInput{Bucket: aws.String(name), Key: aws.String("big"), UploadId: begun.UploadId}))
	open := must[*s3.ListMultipartUploadsOutput](t)(c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String(name)}))
	if len(listed.Parts) != 3 || len(open.Uploads) != 1 {
		t.Errorf("parts %+v, uploads %+v", listed.Parts, open.Uploads)
	}
	must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("big"), UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done}}))
	if !bytes.Equal(get(t, c, "big"), bytes.Join(parts, nil)) {
		t.Error("not the parts joined")
	}
	left := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("left")}))
	must[*s3.AbortMultipartUploadOutput](t)(c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("left"), UploadId: left.UploadId}))
}

func TestVersions(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	must[*s3.PutBucketVersioningOutput](t)(c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String(name), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))
	first := put(t, c, "k", []byte("one")).VersionId
	put(t, c, "k", []byte("two"))
	old := must[*s3.GetObjectOutput](t)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k"), VersionId: first}))
	if text := must[[]byte](t)(io.ReadAll(old.Body)); string(text) != "one" {
		t.Errorf("old is %q", text)
	}
	all := must[*s3.ListObjectVersionsOutput](t)(c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(name)}))
	if len(all.Versions) != 2 {
		t.Errorf("versions %+v", all.Versions)
	}
}

func TestPresignedAddresses(t *testing.T) {
	h, c := withBucket(t)
	put(t, c, "k", []byte("hello"))
	signer := s3.NewPresignClient(c)
	address := func(at time.Time, life time.Duration) string {
		r := must[*v4.PresignedHTTPRequest](t)(signer.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k")}, s3.WithPresignExpires(life), func(o *s3.PresignOptions) { o.Presigner = clock{at} }))
		return r.URL
	}
	now := time.Now()
	for what, c := range map[string]struct {
		url, code, says string
	}{
		"good":       {address(now, time.Hour), "", "hello"},
		"over":       {address(now.Add(-2*time.Hour), time.Hour), "AccessDenied", "Request has expired"},
		"not begun":  {address(now.Add(time.Hour), time.Hour), "AccessDenied", "Request is not yet valid"},
		"too long":   {address(now, 8*24*time.Hour), "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week"},
		"changed":    {strings.Replace(address(now, time.Hour), "/k?", "/l?", 1), "SignatureDoesNotMatch", "does not match"},
		"stretched":  {strings.Replace(address(now, time.Hour), "X-Amz-Expires=3600", "X-Amz-Expires=7200", 1), "SignatureDoesNotMatch", "does not match"},
		"no expires": {strings.Replace(address(now, time.Hour), "&X-Amz-Expires=3600", "", 1), "AuthorizationQueryParametersError", "X-Amz-Expires"},
		"unknown":    {strings.Replace(address(now, time.Hour), h.Root.ID, "AKIAI00000000000000", 1), "InvalidAccessKeyId", "does not exist in our records"},
	} {
		answer := must[*http.Response](t)(http.Get(c.url))
		text := must[[]byte](t)(io.ReadAll(answer.Body))
		answer.Body.Close()
		if good := answer.StatusCode == http.StatusOK; good != (c.code == "") || !strings.Contains(string(text), c.says) || !strings.Contains(string(text), c.code) {
			t.Errorf("%s: %s %s", what, answer.Status, text)
		}
	}
	r := must[*v4.PresignedHTTPRequest](t)(signer.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("up")}))
	request := must[*http.Request](t)(http.NewRequest(http.MethodPut, r.URL, strings.NewReader("by address")))
	answer := must[*http.Response](t)(http.DefaultClient.Do(request))
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || string(get(t, c, "up")) != "by address" {
		t.Errorf("put: %s", answer.Status)
	}
}

func TestVirtualHosts(t *testing.T) {
	h, c := withBucket(t)
	put(t, c, "a/k", []byte("hello"))
	for _, host := range []string{name + ".s3.eu-central-1.amazonaws.com", name + ".localhost:4566"} {
		r := must[*http.Request](t)(http.NewRequest(http.MethodGet, h.URL+"/a/k", nil))
		r.Host = host
		r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
		credentials := aws.Credentials{AccessKeyID: h.Root.ID, SecretAccessKey: h.Root.Secret}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, "UNSIGNED-PAYLOAD", "s3", "eu-central-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		answer := must[*http.Response](t)(http.DefaultClient.Do(r))
		text := must[[]byte](t)(io.ReadAll(answer.Body))
		answer.Body.Close()
		if string(text) != "hello" {
			t.Errorf("%s: %s %s", host, answer.Status, text)
		}
	}
}

// TestASlashAtTheEndIsAnotherKey: a policy may allow one and not the other.
func TestASlashAtTheEndIsAnotherKey(t *testing.T) {
	_, c := withBucket(t)
	ctx := t.Context()
	put(t, c, "k", []byte("x"))
	_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("k/")})
	refused(t, err, "NoSuchKey", "")
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(name), Key: aws.String("l"), CopySource: aws.String(name + "/k/")})
	if err == nil {
		t.Error("copied what is not there")
	}
	_, _ = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("k/")})
	_, _ = c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k/"), Body: strings.NewReader("")})
	if got := get(t, c, "k"); string(got) != "x" {
		t.Errorf("k is %q", got)
	}
	put(t, c, "d/", nil)
	put(t, c, "d/e", []byte("y"))
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(name), Key: aws.String("d")})
	refused(t, err, "NoSuchKey", "")
	_, _ = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("d")})
	if got := get(t, c, "d/e"); string(got) != "y" {
		t.Errorf("d/e is %q", got)
	}
}

// TestALengthIsNeeded: of a body of unknown length nobody knows whether it is whole.
func TestALengthIsNeeded(t *testing.T) {
	h, _ := withBucket(t)
	r := must[*http.Request](t)(http.NewRequest(http.MethodPut, h.URL+"/"+name+"/k", struct{ io.Reader }{strings.NewReader("hello")}))
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	credentials := aws.Credentials{AccessKeyID: h.Root.ID, SecretAccessKey: h.Root.Secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, "UNSIGNED-PAYLOAD", "s3", "eu-central-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	answer := must[*http.Response](t)(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusLengthRequired {
		t.Errorf("%s", answer.Status)
	}
}
