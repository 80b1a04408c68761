package store

import "github.com/berthhq/berth/domain/image"

// Repositories by ARN.
var Repositories = &Table[image.Repository]{
	ID: repositories, Noun: "repository", Schema: 1,
	Primary: func(r *image.Repository) string { return r.ARN },
}
