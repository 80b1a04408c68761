package s3

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
)

// asked is what a request names.
type asked struct {
	bucket string // empty for the service itself
	key    string // empty for the bucket itself
	query  url.Values
	source *place // of a copy; nil for none
}

// place is a version of an object.
type place struct{ bucket, key, version string }

// read finds out which bucket and object a request means: /bucket/key, or
// bucket.s3.anything/key.
func read(r *http.Request) (a asked, err error) {
	if a.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return a, fault.New(fault.InvalidArgument, "The query string cannot be read.")
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if a.bucket = bucketOfHost(r.Host); a.bucket != "" {
		a.key = path
	} else {
		a.bucket, a.key, _ = strings.Cut(path, "/")
	}
	if err := a.check(); err != nil {
		return a, err
	}
	if text := r.Header.Get("X-Amz-Copy-Source"); text != "" {
		a.source, err = readSource(text)
	}
	return a, err
}

func (a *asked) check() error {
	switch {
	case a.bucket != "" && !bucket.ValidName(a.bucket):
		return fault.New(fault.InvalidBucketName, "The specified bucket is not valid.")
	case a.bucket == "" && a.key != "":
		return fault.New(fault.InvalidBucketName, "The specified bucket is not valid.")
	}
	return checkKey(a.key)
}

// checkKey refuses keys that cannot be files.
func checkKey(key string) error {
	switch {
	case key == "" || bucket.ValidKey(key):
		return nil
	case len(key) > bucket.MaxKey:
		return fault.New(fault.InvalidArgument, "Your key is too long")
	}
	return fault.New(fault.InvalidArgument, "The key %q cannot be kept here.", key).
		WithHint("berth keeps objects as files: no empty, \".\" or \"..\" segment, none longer than 255 bytes")
}

// bucketOfHost is the bucket in a virtual-hosted style address: BUCKET.s3.anything,
// BUCKET.s3-region.anything or BUCKET.localhost.
func bucketOfHost(host string) string {
	host, _, _ = strings.Cut(host, ":")
	if name, ok := strings.CutSuffix(host, ".localhost"); ok && !strings.Contains(name, ".s3") && name != "s3" {
		return name
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.Index(host, mark); i > 0 {
			return host[:i]
		}
	}
	return ""
}

// readSource reads X-Amz-Copy-Source: [/]bucket/key[?versionId=id], encoded as in an
// address.
func readSource(text string) (*place, error) {
	path, query, _ := strings.Cut(text, "?")
	path, err := url.PathUnescape(path)
	name, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	version, ok := strings.CutPrefix(query, "versionId=")
	if err != nil || query != "" && !ok || !bucket.ValidName(name) || key == "" {
		return nil, fault.New(fault.InvalidArgument, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	return &place{name, key, version}, checkKey(key)
}

func (p *place) header() string {
	text := escape(p.bucket + "/" + p.key)
	if p.version != "" {
		text += "?versionId=" + url.QueryEscape(p.version)
	}
	return text
}

// noted is what the audit line tells.
func (a *asked) noted() map[string]string {
	note := map[string]string{}
	for name, value := range map[string]string{"bucketName": a.bucket, "key": a.key, "versionId": a.query.Get("versionId"), "prefix": a.query.Get("prefix")} {
		if value != "" {
			note[name] = value
		}
	}
	if a.source != nil {
		note["x-amz-copy-source"] = a.source.header()
	}
	return note
}

// escape encodes a path so that it is read back as it was, by us and by the keeper.
func escape(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		ch := path[i]
		if ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || strings.IndexByte("-._~/", ch) >= 0 {
			b.WriteByte(ch)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[ch>>4])
		b.WriteByte(digits[ch&15])
	}
	return b.String()
}
