package sigv4

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what Signature Version 2 is made of
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/identity"
)

// boto3 and the aws CLI still make the presigned addresses of S3 by Signature Version
// 2 unless they are told otherwise. It is taken there and nowhere else.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html

// olderRegion stands for the one that such an address does not name.
const olderRegion = "us-east-1"

// IsOlder tells whether a query is an address of S3 presigned by Signature Version 2.
func IsOlder(rawQuery string) bool {
	return strings.Contains(rawQuery, "AWSAccessKeyId=") && strings.Contains(rawQuery, "Signature=") &&
		strings.Contains(rawQuery, "Expires=") && !strings.Contains(rawQuery, "X-Amz-") && !strings.Contains(rawQuery, "SignatureVersion=")
}

func readOlder(r *http.Request) (*Claim, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, incomplete("The query string cannot be read.")
	}
	for _, name := range []string{"AWSAccessKeyId", "Signature", "Expires"} {
		if len(q[name]) != 1 || q[name][0] == "" {
			return nil, fault.New(fault.AccessDenied, "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
		}
	}
	seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return nil, fault.New(fault.AccessDenied, "Invalid date (should be seconds since epoch): %s", clip(q.Get("Expires")))
	}
	return &Claim{
		KeyID: q.Get("AWSAccessKeyId"), Region: olderRegion, Service: "s3", Token: q.Get("x-amz-security-token"),
		Presigned: true, Older: true, At: time.Unix(seconds, 0).UTC(), signature: q.Get("Signature"),
	}, nil
}

// proveOlder checks an address presigned by Signature Version 2. Its body is not
// signed.
func proveOlder(r *http.Request, c *Claim, key *identity.AccessKey, now time.Time) error {
	if err := checkKey(c, key, now); err != nil {
		return err
	}
	if !now.Before(c.At) {
		return fault.New(fault.AccessDenied, "Request has expired")
	}
	mac := hmac.New(sha1.New, []byte(key.Secret))
	mac.Write([]byte(olderText(r, c)))
	expected := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(expected), []byte(c.signature)) != 1 {
		return mismatch("The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return nil
}

// olderText is what was signed.
func olderText(r *http.Request, c *Claim) string {
	query := r.URL.Query()
	stated := func(name string) string {
		if v := r.Header.Get(name); v != "" {
			return v
		}
		return query.Get(strings.ToLower(name))
	}
	lines := []string{r.Method, stated("Content-Md5"), stated("Content-Type"), strconv.FormatInt(c.At.Unix(), 10)}
	return strings.Join(lines, "\n") + "\n" + olderHeaders(r.Header, query) + olderResource(r.URL, query)
}

// olderHeaders are the x-amz- headers, those that went into the address included.
func olderHeaders(h http.Header, query url.Values) string {
	found := map[string]string{}
	for _, from := range []map[string][]string{query, h} {
		for name, values := range from {
			if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
				found[name] = strings.TrimSpace(strings.Join(values, ","))
			}
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(found)) {
		b.WriteString(name + ":" + found[name] + "\n")
	}
	return b.String()
}

// olderResource is the path and those parameters that name a part of what is there.
func olderResource(u *url.URL, query url.Values) string {
	var named []string
	for name := range query {
		switch name {
		case "accelerate", "acl", "cors", "defaultObjectAcl", "location", "logging", "partNumber", "policy", "requestPayment", "torrent",
			"versioning", "versionId", "versions", "website", "uploads", "uploadId", "response-content-type", "response-content-language",
			"response-expires", "response-cache-control", "response-content-disposition", "response-content-encoding", "delete", "lifecycle",
			"tagging", "restore", "storageClass", "notification", "replication", "analytics", "metrics", "inventory", "select", "select-type",
			"object-lock":
			named = append(named, name)
		}
	}
	slices.Sort(named)
	for i, name := range named {
		if value := query.Get(name); value != "" {
			named[i] = name + "=" + value
		}
	}
	if len(named) == 0 {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + strings.Join(named, "&")
}
