// Package bucket holds what berth knows of S3's buckets beside their objects: whose
// they are and who else may use them.
package bucket

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/arn"
)

// Bucket is a bucket of S3. Names are unique in the installation, as they are on AWS.
type Bucket struct {
	Name      string // primary key
	Scope     arn.Scope
	Policy    string // bucket policy, JSON text; empty when none
	CreatedAt time.Time
}

// ARN names a bucket, and with a key one of its objects.
func ARN(region, bucket, key string) string {
	if key != "" {
		bucket += "/" + key
	}
	return arn.ARN{Partition: arn.Partition(region), Service: "s3", Resource: bucket}.String()
}

// OfARN is the name of the bucket in the ARN of a bucket or object; empty when it is
// none.
func OfARN(text string) string {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "s3" {
		return ""
	}
	name, _, _ := strings.Cut(a.Resource, "/")
	return name
}

// ValidName tells whether S3 lets a bucket have the name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func ValidName(name string) bool {
	if ok, _ := regexp.MatchString(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`, name); !ok || strings.Contains(name, "..") {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	_, err := netip.ParseAddr(name)
	return err != nil
}

// MaxKey is the longest key of an object, in bytes.
const MaxKey = 1024

// ValidKey tells whether an object may have the key here. S3 takes any text; we keep
// objects as files, so a key must be a path that means only itself. It may end with
// a slash.
func ValidKey(key string) bool {
	path := strings.TrimSuffix(key, "/")
	if path == "" || len(key) > MaxKey || strings.ContainsRune(key, 0) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > 255 {
			return false
		}
	}
	first, _, _ := strings.Cut(path, "/")
	return first != reserved
}

// reserved is where the keeper of objects keeps what is being written, within each
// bucket.
const reserved = ".sgwtmp"
