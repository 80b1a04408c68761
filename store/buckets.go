package store

import "github.com/berthhq/berth/domain/bucket"

// Buckets of S3 by name.
var Buckets = &Table[bucket.Bucket]{
	ID: buckets, Noun: "bucket", Schema: 1,
	Primary: func(b *bucket.Bucket) string { return b.Name },
}
