package s3

import (
	"context"
	"net/url"
	"strings"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// need is an action on what the request is about.
func (x *exchange) need(action string) gateway.Need {
	if x.query.Has("versionId") && x.op.ofVersion != "" {
		action = x.op.ofVersion
	}
	n := gateway.Need{Action: "s3:" + action, Keys: x.keys()}
	if x.bucket != "" {
		n.Resources = []string{bucket.ARN(x.call.Scope.Region, x.bucket, x.key)}
	}
	return n
}

// keys are the condition keys of S3 that the request has.
func (x *exchange) keys() map[string][]string {
	keys := map[string][]string{"s3:authType": {"REST-HEADER"}, "s3:signatureversion": {"AWS4-HMAC-SHA256"}}
	if x.pass.Claim().Presigned {
		keys["s3:authType"] = []string{"REST-QUERY-STRING"}
	}
	if x.pass.Claim().Older {
		keys["s3:signatureversion"] = []string{"AWS"}
	}
	if b, ok := x.record(); ok {
		keys["s3:ResourceAccount"] = []string{b.Scope.Account}
	}
	for key, parameter := range map[string]string{"s3:prefix": "prefix", "s3:delimiter": "delimiter", "s3:max-keys": "max-keys", "s3:versionid": "versionId"} {
		if x.query.Has(parameter) {
			keys[key] = []string{x.query.Get(parameter)}
		}
	}
	for _, name := range []string{"acl", "content-sha256", "copy-source", "metadata-directive", "server-side-encryption", "storage-class"} {
		if value := x.r.Header.Get("X-Amz-" + name); value != "" {
			keys["s3:x-amz-"+name] = []string{value}
		}
	}
	x.addTags(keys)
	return keys
}

// addTags tells which tags the request gives an object.
func (x *exchange) addTags(keys map[string][]string) {
	for name, value := range headerTags(x.r.Header.Get("X-Amz-Tagging")) {
		keys["s3:RequestObjectTag/"+name] = []string{value}
		keys["s3:RequestObjectTagKeys"] = append(keys["s3:RequestObjectTagKeys"], name)
	}
}

// needs are what the operation needs, all of which must be allowed.
func (x *exchange) needs() []gateway.Need {
	if x.op.needs != nil {
		return x.op.needs(x)
	}
	return []gateway.Need{x.need(x.op.action)}
}

func none(*exchange) []gateway.Need { return nil }

// writing needs PutObject, and what headers ask for beside; a copy also needs to read
// its source.
func writing(x *exchange) []gateway.Need {
	needs := []gateway.Need{x.need("PutObject")}
	if x.r.Header.Get("X-Amz-Tagging") != "" {
		needs = append(needs, x.need("PutObjectTagging"))
	}
	if x.r.Header.Get("X-Amz-Acl") != "" {
		needs = append(needs, x.need("PutObjectAcl"))
	}
	if x.source == nil {
		return needs
	}
	action := "GetObject"
	if x.source.version != "" {
		action = "GetObjectVersion"
	}
	read := x.need(action)
	read.Resources = []string{bucket.ARN(x.call.Scope.Region, x.source.bucket, x.source.key)}
	return append(needs, read)
}

// attributes needs the right to the object as well.
func attributes(x *exchange) []gateway.Need {
	if x.query.Has("versionId") {
		return []gateway.Need{x.need("GetObjectVersionAttributes"), x.need("GetObjectVersion")}
	}
	return []gateway.Need{x.need("GetObjectAttributes"), x.need("GetObject")}
}

// authorise asks for each need, then whether the buckets exist at all: who may not
// use a bucket does not learn of it.
func (x *exchange) authorise(needs ...gateway.Need) error {
	x.pass.Needed(needs...)
	for _, need := range needs {
		if err := x.mayUse(x.r.Context(), need); err != nil {
			return err
		}
	}
	for _, name := range x.buckets() {
		if _, ok := store.Buckets.Get(x.Store.View(), name); !ok && x.op.name != "CreateBucket" {
			return noSuchBucket(name)
		}
	}
	return nil
}

// mayUse asks whether the policies allow it. A bucket of another account is closed
// unless its own policy may open it.
func (x *exchange) mayUse(ctx context.Context, need gateway.Need) error {
	for _, resource := range need.Resources {
		b, ok := store.Buckets.Get(x.Store.View(), bucket.OfARN(resource))
		if ok && b.Scope.Account != x.call.Principal.Account && b.Policy == "" && x.op.name != "CreateBucket" {
			return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %q because no resource-based policy allows the %s action",
				x.call.Principal.ARN, need.Action, resource, need.Action)
		}
	}
	return x.Authoriser.Authorise(ctx, x.call, need)
}

func (x *exchange) buckets() []string {
	var names []string
	if x.bucket != "" {
		names = append(names, x.bucket)
	}
	if x.source != nil {
		names = append(names, x.source.bucket)
	}
	return names
}

// record is the bucket that the request names.
func (x *exchange) record() (*bucket.Bucket, bool) {
	return store.Buckets.Get(x.Store.View(), x.bucket)
}

// checkOwner holds the caller to whom it believes the buckets belong.
func (x *exchange) checkOwner() error {
	for header, name := range map[string]string{"X-Amz-Expected-Bucket-Owner": x.bucket, "X-Amz-Source-Expected-Bucket-Owner": sourceBucket(x.source)} {
		expected := x.r.Header.Get(header)
		if b, ok := store.Buckets.Get(x.Store.View(), name); ok && expected != "" && b.Scope.Account != expected {
			return fault.New(fault.AccessDenied, "Access Denied")
		}
	}
	return nil
}

func sourceBucket(p *place) string {
	if p == nil {
		return ""
	}
	return p.bucket
}

func noSuchBucket(name string) *fault.Fault {
	return fault.New(fault.NoSuchBucket, "The specified bucket does not exist").About(name)
}

// headerTags reads X-Amz-Tagging, which has the form of a query. What cannot be read
// is the keeper's to refuse.
func headerTags(text string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err == nil && plain != "" {
			tags[plain], _ = url.QueryUnescape(value)
		}
	}
	return tags
}
