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
)

// raw sends a PUT of S3 whose headers are signed with the payload's word, and whose
// body is as given.
func (h *house) raw(t *testing.T, key, payload string, header map[string]string, body string) (status int, text string) {
	t.Helper()
	r := must[*http.Request](t)(http.NewRequest(http.MethodPut, h.URL+"/"+name+"/"+key, strings.NewReader(body)))
	r.Header.Set("X-Amz-Content-Sha256", payload)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	credentials := aws.Credentials{AccessKeyID: h.Root.ID, SecretAccessKey: h.Root.Secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, payload, "s3", "eu-central-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	answer := must[*http.Response](t)(http.DefaultClient.Do(r))
	defer answer.Body.Close()
	return answer.StatusCode, string(must[[]byte](t)(io.ReadAll(answer.Body)))
}

func TestABadBodyLeavesNoObject(t *testing.T) {
	h, c := withBucket(t)
	put(t, c, "kept", []byte("before"))
	chunks := map[string]string{"X-Amz-Decoded-Content-Length": "5", "Content-Encoding": "aws-chunked", "X-Amz-Trailer": "x-amz-checksum-crc32"}
	signed := map[string]string{"X-Amz-Decoded-Content-Length": "5", "Content-Encoding": "aws-chunked"}
	for what, c2 := range map[string]struct {
		payload string
		header  map[string]string
		body    string
		code    string
	}{
		"another hash":     {strings.Repeat("0", 64), nil, "hello", "XAmzContentSHA256Mismatch"},
		"another checksum": {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunks, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"},
		"no checksum":      {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunks, "5\r\nhello\r\n0\r\n\r\n", "IncompleteBody"},
		"cut":              {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunks, "5\r\nhel", "IncompleteBody"},
		"a bad chunk": {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", signed,
			"5;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello\r\n0;chunk-signature=" + strings.Repeat("0", 64) + "\r\n\r\n", "SignatureDoesNotMatch"},
	} {
		t.Run(what, func(t *testing.T) {
			for _, key := range []string{"kept", "new"} {
				if status, text := h.raw(t, key, c2.payload, c2.header, c2.body); status < 400 || !strings.Contains(text, "<Code>"+c2.code+"<") {
					t.Errorf("%d %s", status, text)
				}
			}
			if got := get(t, c, "kept"); string(got) != "before" {
				t.Errorf("kept is %q", got)
			}
			list := must[*s3.ListObjectsV2Output](t)(c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name)}))
			if len(list.Contents) != 1 {
				t.Errorf("there is %d", len(list.Contents))
			}
		})
	}
}

// TestChecksumsOfTrailersAreKept: what SDKs send by default for a stream.
func TestChecksumsOfTrailersAreKept(t *testing.T) {
	h, c := withBucket(t)
	status, text := h.raw(t, "k", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
		map[string]string{"X-Amz-Decoded-Content-Length": "5", "Content-Encoding": "aws-chunked", "X-Amz-Trailer": "x-amz-checksum-crc32"},
		"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	head := must[*s3.HeadObjectOutput](t)(c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("k"), ChecksumMode: "ENABLED"}))
	if aws.ToString(head.ChecksumCRC32) != "NhCmhg==" || head.ContentEncoding != nil || *head.ContentLength != 5 {
		t.Errorf("head %+v", head)
	}
}

// TestUploadsWithoutASeek: a stream whose length is known is sent in chunks.
func TestUploadsWithoutASeek(t *testing.T) {
	_, c := withBucket(t)
	body := random(t, 3<<20)
	must[*s3.PutObjectOutput](t)(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(name), Key: aws.String("k"), Body: struct{ io.Reader }{bytes.NewReader(body)}, ContentLength: aws.Int64(int64(len(body)))},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)))
	if !bytes.Equal(get(t, c, "k"), body) {
		t.Error("not what was sent")
	}
}

func TestTheCommandLine(t *testing.T) {
	h, c := withBucket(t)
	dir := t.TempDir()
	for n := range 3 {
		write(t, fmt.Sprintf("%s/%d.bin", dir, n), random(t, 9<<20)) // above 8 MiB it sends parts
	}
	for _, args := range [][]string{
		{"s3", "sync", dir, "s3://" + name + "/run"},
		{"s3", "cp", "s3://" + name + "/run/1.bin", dir + "/back.bin"},
		{"s3", "cp", "s3://" + name + "/run/1.bin", "s3://" + name + "/copy.bin"},
		{"s3", "rm", "s3://" + name + "/run/2.bin"},
	} {
		if out, errs, code := h.CLI(t, h.Root, args...); code != 0 {
			t.Fatalf("aws %v: %d %s %s", args, code, out, errs)
		}
	}
	if !bytes.Equal(load(t, dir+"/back.bin"), load(t, dir+"/1.bin")) || !bytes.Equal(get(t, c, "copy.bin"), load(t, dir+"/1.bin")) {
		t.Error("not what was sent")
	}
	out, _, _ := h.CLI(t, h.Root, "s3", "ls", "--recursive", "s3://"+name)
	if strings.Count(out, ".bin") != 3 {
		t.Errorf("ls: %s", out)
	}
}
