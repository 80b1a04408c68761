package s3

import (
	"fmt"
	"io"
	"net/http"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// maxPolicy is AWS's limit for bucket policies, in bytes.
const maxPolicy = 20 << 10

func (x *exchange) getPolicy() error {
	b, ok := x.record()
	switch {
	case !ok:
		return noSuchBucket(x.bucket)
	case b.Policy == "":
		return fault.New(fault.NoSuchBucketPolicy, "The bucket policy does not exist")
	}
	x.send(http.StatusOK, "application/json", []byte(b.Policy))
	return nil
}

func (x *exchange) putPolicy() error {
	text, err := x.text()
	if err != nil {
		return err
	}
	if len(text) > maxPolicy {
		return fault.New(fault.MalformedBucketPolicy, "Bucket policies must not exceed %d bytes.", maxPolicy)
	}
	if err := x.CheckPolicy(string(text)); err != nil {
		return fault.New(fault.MalformedBucketPolicy, "%s", fault.Of(err).Message)
	}
	return x.setPolicy(string(text))
}

func (x *exchange) deletePolicy() error { return x.setPolicy("") }

func (x *exchange) setPolicy(text string) error {
	_, err := x.Store.Update(x.r.Context(), func(tx *store.Tx) error {
		have, ok := store.Buckets.Get(tx, x.bucket)
		if !ok {
			return noSuchBucket(x.bucket)
		}
		next := *have
		next.Policy = text
		store.Buckets.Put(tx, &next)
		return nil
	})
	if err == nil {
		x.send(http.StatusNoContent, "", nil)
	}
	return err
}

// refusal is what the keeper said, for the log.
func refusal(answer *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	return fmt.Errorf("%s: %s", answer.Status, text)
}
