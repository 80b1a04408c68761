package s3

import (
	"net/http"
	"slices"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
)

// operation is one thing that S3 can be asked for, and how it is known.
type operation struct {
	method string
	on     level
	sub    string // the subresource in the query: "tagging"; empty for none
	copies bool   // has X-Amz-Copy-Source
	name   string
	action string // that the caller needs; with a versionId, ofVersion
	// ofVersion is the action where the query names a version; empty for the same.
	ofVersion string
	needs     func(*exchange) []gateway.Need // nil for the action alone
	serve     func(*exchange) error          // nil for the keeper of objects
}

// level is what an operation is about.
type level int

const (
	service level = iota
	ofBucket
	ofObject
)

// operations are all that S3 is asked for here.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func operations() []operation {
	const get, put, head, post, del = http.MethodGet, http.MethodPut, http.MethodHead, http.MethodPost, http.MethodDelete
	return []operation{
		{method: get, on: service, name: "ListBuckets", action: "ListAllMyBuckets", serve: (*exchange).listBuckets},

		{method: put, on: ofBucket, name: "CreateBucket", action: "CreateBucket", serve: (*exchange).createBucket},
		{method: head, on: ofBucket, name: "HeadBucket", action: "ListBucket", serve: (*exchange).headBucket},
		{method: del, on: ofBucket, name: "DeleteBucket", action: "DeleteBucket", serve: (*exchange).deleteBucket},
		{method: get, on: ofBucket, name: "ListObjects", action: "ListBucket"},
		{method: get, on: ofBucket, sub: "versions", name: "ListObjectVersions", action: "ListBucketVersions"},
		{method: get, on: ofBucket, sub: "uploads", name: "ListMultipartUploads", action: "ListBucketMultipartUploads"},
		{method: post, on: ofBucket, sub: "delete", name: "DeleteObjects", needs: none, serve: (*exchange).deleteObjects},
		{method: get, on: ofBucket, sub: "location", name: "GetBucketLocation", action: "GetBucketLocation", serve: (*exchange).getLocation},
		{method: get, on: ofBucket, sub: "policy", name: "GetBucketPolicy", action: "GetBucketPolicy", serve: (*exchange).getPolicy},
		{method: put, on: ofBucket, sub: "policy", name: "PutBucketPolicy", action: "PutBucketPolicy", serve: (*exchange).putPolicy},
		{method: del, on: ofBucket, sub: "policy", name: "DeleteBucketPolicy", action: "DeleteBucketPolicy", serve: (*exchange).deletePolicy},
		{method: get, on: ofBucket, sub: "versioning", name: "GetBucketVersioning", action: "GetBucketVersioning"},
		{method: put, on: ofBucket, sub: "versioning", name: "PutBucketVersioning", action: "PutBucketVersioning"},
		{method: get, on: ofBucket, sub: "tagging", name: "GetBucketTagging", action: "GetBucketTagging"},
		{method: put, on: ofBucket, sub: "tagging", name: "PutBucketTagging", action: "PutBucketTagging"},
		{method: del, on: ofBucket, sub: "tagging", name: "DeleteBucketTagging", action: "PutBucketTagging"},
		{method: get, on: ofBucket, sub: "acl", name: "GetBucketAcl", action: "GetBucketAcl"},
		{method: put, on: ofBucket, sub: "acl", name: "PutBucketAcl", action: "PutBucketAcl", serve: (*exchange).refuseACL},
		{method: get, on: ofBucket, sub: "ownershipControls", name: "GetBucketOwnershipControls", action: "GetBucketOwnershipControls"},
		{method: get, on: ofBucket, sub: "cors", name: "GetBucketCors", action: "GetBucketCORS"},
		{method: get, on: ofBucket, sub: "website", name: "GetBucketWebsite", action: "GetBucketWebsite"},
		{method: get, on: ofBucket, sub: "object-lock", name: "GetObjectLockConfiguration", action: "GetBucketObjectLockConfiguration"},

		{method: get, on: ofObject, name: "GetObject", action: "GetObject", ofVersion: "GetObjectVersion"},
		{method: head, on: ofObject, name: "HeadObject", action: "GetObject", ofVersion: "GetObjectVersion"},
		{method: put, on: ofObject, name: "PutObject", needs: writing},
		{method: put, on: ofObject, copies: true, name: "CopyObject", needs: writing},
		{method: del, on: ofObject, name: "DeleteObject", action: "DeleteObject", ofVersion: "DeleteObjectVersion"},
		{method: post, on: ofObject, sub: "uploads", name: "CreateMultipartUpload", needs: writing},
		{method: put, on: ofObject, sub: "uploadId", name: "UploadPart", action: "PutObject"},
		{method: put, on: ofObject, sub: "uploadId", copies: true, name: "UploadPartCopy", needs: writing},
		{method: post, on: ofObject, sub: "uploadId", name: "CompleteMultipartUpload", action: "PutObject"},
		{method: del, on: ofObject, sub: "uploadId", name: "AbortMultipartUpload", action: "AbortMultipartUpload"},
		{method: get, on: ofObject, sub: "uploadId", name: "ListParts", action: "ListMultipartUploadParts"},
		{method: get, on: ofObject, sub: "tagging", name: "GetObjectTagging", action: "GetObjectTagging", ofVersion: "GetObjectVersionTagging"},
		{method: put, on: ofObject, sub: "tagging", name: "PutObjectTagging", action: "PutObjectTagging", ofVersion: "PutObjectVersionTagging"},
		{method: del, on: ofObject, sub: "tagging", name: "DeleteObjectTagging", action: "DeleteObjectTagging", ofVersion: "DeleteObjectVersionTagging"},
		{method: get, on: ofObject, sub: "acl", name: "GetObjectAcl", action: "GetObjectAcl", ofVersion: "GetObjectVersionAcl"},
		{method: put, on: ofObject, sub: "acl", name: "PutObjectAcl", action: "PutObjectAcl", ofVersion: "PutObjectVersionAcl", serve: (*exchange).refuseACL},
		{method: get, on: ofObject, sub: "attributes", name: "GetObjectAttributes", needs: attributes},
	}
}

// parameters are what may stand in a query beside a subresource. All else is a
// subresource: the keeper must not see a question that we read otherwise.
func parameters() []string {
	return []string{
		"prefix", "delimiter", "marker", "max-keys", "encoding-type", "list-type", "continuation-token", "fetch-owner", "start-after",
		"key-marker", "version-id-marker", "upload-id-marker", "max-uploads", "max-parts", "part-number-marker", "partNumber", "versionId",
		"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
		"response-content-type", "response-expires",
	}
}

// ofListing are parameters of ListBuckets, which is ours.
func ofListing(name string) bool {
	return name == "max-buckets" || name == "bucket-region" || name == "continuation-token" || name == "prefix"
}

// unseen are parameters that say nothing to the keeper.
func unseen(name string) bool {
	switch name {
	case "x-id", "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5":
		return true
	}
	return strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "x-amz-")
}

func (a *asked) level() level {
	switch {
	case a.bucket == "":
		return service
	case a.key == "":
		return ofBucket
	}
	return ofObject
}

// find is the row of what is asked for.
func (x *exchange) find() (*operation, error) {
	sub, err := x.subresource()
	if err != nil {
		return nil, err
	}
	for _, op := range operations() {
		if op.method == x.r.Method && op.on == x.level() && op.sub == sub && op.copies == (x.source != nil) {
			return &op, x.supported()
		}
	}
	if sub != "" || x.r.Method == http.MethodPost {
		return nil, fault.New(fault.NotImplemented, "A header you provided implies functionality that is not implemented.").
			WithHint("berth does not do %s of %q; docs/compatibility.md lists what works", x.r.Method, sub)
	}
	return nil, fault.New(fault.NotImplemented, "The specified method is not allowed against this resource.")
}

// subresource is the only name in the query that is no parameter.
func (x *exchange) subresource() (string, error) {
	found := ""
	for name, values := range x.query {
		switch {
		case unseen(name), x.bucket == "" && ofListing(name):
			continue
		case len(values) > 1:
			return "", fault.New(fault.InvalidArgument, "The query names %q more than once.", name)
		case slices.Contains(parameters(), name):
			continue
		case found != "":
			return "", fault.New(fault.InvalidArgument, "Conflicting query string parameters: %s, %s", min(found, name), max(found, name))
		}
		found = name
	}
	return found, nil
}

// supported refuses what the request wants beside and would not get.
func (x *exchange) supported() error {
	for name, values := range x.r.Header {
		value := values[0]
		switch {
		case strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") && value != "AES256",
			strings.Contains(name, "Server-Side-Encryption-Customer"),
			strings.HasPrefix(name, "X-Amz-Object-Lock-"), name == "X-Amz-Bucket-Object-Lock-Enabled" && value == "true",
			name == "X-Amz-Bypass-Governance-Retention":
			return fault.New(fault.NotImplemented, "A header you provided implies functionality that is not implemented.").
				WithHint("berth does not do %s; it encrypts nothing at rest: your disk does", strings.ToLower(name))
		case name == "X-Amz-Acl" && value != "private" && value != "bucket-owner-full-control", strings.HasPrefix(name, "X-Amz-Grant-"):
			return aclNotSupported()
		}
	}
	return nil
}

func aclNotSupported() error {
	return fault.New(fault.ACLNotSupported, "The bucket does not allow ACLs").WithHint("use a bucket policy")
}

func (x *exchange) refuseACL() error { return aclNotSupported() }

// Actions are those that S3's operations here ask for, "s3:GetObject", each once.
func Actions() []string {
	var out []string
	for _, op := range operations() {
		for _, action := range []string{op.action, op.ofVersion} {
			if action != "" && !slices.Contains(out, Scope+":"+action) {
				out = append(out, Scope+":"+action)
			}
		}
	}
	return out
}
