package s3

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/arn"
	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/store"
)

// homeRegion is where buckets are that name no region.
const homeRegion = "us-east-1"

// maxText bounds the bodies that we read ourselves, in bytes: DeleteObjects names a
// thousand keys.
const maxText = 2 << 20

// text reads the body whole.
func (x *exchange) text() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(x.body, maxText+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxText:
		return nil, fault.New(fault.RequestTooLarge, "Your proposed upload exceeds the maximum allowed size")
	}
	return b, nil
}

// createBucket writes our record first: it is what makes the name taken.
func (x *exchange) createBucket() error {
	region, err := x.chosenRegion()
	if err != nil {
		return err
	}
	mine := &bucket.Bucket{Name: x.bucket, Scope: arn.Scope{Account: x.call.Principal.Account, Region: region}, CreatedAt: x.call.Now}
	made := false
	if _, err := x.Store.Update(x.r.Context(), func(tx *store.Tx) error {
		have, ok := store.Buckets.Get(tx, x.bucket)
		made = !ok
		switch {
		case ok && have.Scope.Account != mine.Scope.Account:
			return fault.New(fault.BucketAlreadyExists, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
		case ok && (have.Scope.Region != homeRegion || region != homeRegion):
			return fault.New(fault.BucketAlreadyOwned, "Your previous request to create the named bucket succeeded and you already own it.")
		case !ok:
			store.Buckets.Put(tx, mine)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := x.makeFolder(); err != nil {
		if made {
			_ = x.forget(context.WithoutCancel(x.r.Context())) // else the owner makes it again
		}
		return err
	}
	x.w.Header().Set("Location", "/"+x.bucket)
	x.send(http.StatusOK, "", nil)
	return nil
}

// makeFolder has the keeper make the bucket. One that it has is what a request before
// this one made.
func (x *exchange) makeFolder() error {
	answer, err := x.tell(x.r.Context(), http.MethodPut)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusConflict {
		return fault.New(fault.Server, "We encountered an internal error. Please try again.").Because(refusal(answer))
	}
	return nil
}

// chosenRegion is where the bucket shall be: AWS wants the region of the endpoint,
// which here is that of the signature.
func (x *exchange) chosenRegion() (string, error) {
	text, err := x.text()
	if err != nil {
		return "", err
	}
	var asked struct{ LocationConstraint string }
	if len(text) > 0 {
		if err := xml.Unmarshal(text, &asked); err != nil {
			return "", malformedXML()
		}
	}
	switch here := x.call.Scope.Region; {
	case asked.LocationConstraint == "" && here == homeRegion, asked.LocationConstraint == here && here != homeRegion:
		return here, nil
	case asked.LocationConstraint == "":
		return "", fault.New(fault.IllegalLocation, "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	}
	return "", fault.New(fault.IllegalLocation, "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", asked.LocationConstraint)
}

func malformedXML() error {
	return fault.New(fault.MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
}

func (x *exchange) headBucket() error {
	b, ok := x.record()
	if !ok {
		return noSuchBucket(x.bucket)
	}
	x.w.Header().Set("X-Amz-Bucket-Region", b.Scope.Region)
	x.w.Header().Set("X-Amz-Access-Point-Alias", "false")
	x.send(http.StatusOK, "application/xml", nil)
	return nil
}

// deleteBucket removes the record when the keeper has no more of the bucket.
func (x *exchange) deleteBucket() error {
	answer, err := x.tell(x.r.Context(), http.MethodDelete)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent && answer.StatusCode != http.StatusNotFound {
		x.passOn(answer)
		return nil
	}
	if err := x.forget(x.r.Context()); err != nil {
		return err
	}
	x.send(http.StatusNoContent, "", nil)
	return nil
}

func (x *exchange) forget(ctx context.Context) error {
	_, err := x.Store.Update(ctx, func(tx *store.Tx) error {
		store.Buckets.Delete(tx, x.bucket)
		return nil
	})
	return err
}

func (x *exchange) getLocation() error {
	b, ok := x.record()
	if !ok {
		return noSuchBucket(x.bucket)
	}
	body := struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		NS      string   `xml:"xmlns,attr"`
		Region  string   `xml:",chardata"`
	}{NS: namespace, Region: b.Scope.Region}
	if body.Region == homeRegion {
		body.Region = ""
	}
	return x.answer(body)
}

type bucketList struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	NS      string   `xml:"xmlns,attr"`
	OwnerID string   `xml:"Owner>ID"`
	Buckets []listed `xml:"Buckets>Bucket"`
	Next    string   `xml:"ContinuationToken,omitempty"`
	Prefix  string   `xml:"Prefix,omitempty"`
}

type listed struct {
	Name         string
	CreationDate string
	BucketRegion string
}

// listBuckets lists the account's own. The token is the last name of a page.
func (x *exchange) listBuckets() error {
	most, err := pageSize(x.query.Get("max-buckets"))
	if err != nil {
		return err
	}
	list := bucketList{NS: namespace, OwnerID: x.call.Principal.Account, Prefix: x.query.Get("prefix")}
	for _, b := range x.owned() {
		if len(list.Buckets) == most {
			list.Next = list.Buckets[most-1].Name
			break
		}
		list.Buckets = append(list.Buckets, listed{b.Name, b.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), b.Scope.Region})
	}
	return x.answer(list)
}

// owned are the buckets to list, by name.
func (x *exchange) owned() []*bucket.Bucket {
	region, after := x.query.Get("bucket-region"), x.query.Get("continuation-token")
	var found []*bucket.Bucket
	for b := range store.Buckets.All(x.Store.View()) {
		if b.Scope.Account == x.call.Principal.Account && strings.HasPrefix(b.Name, x.query.Get("prefix")) &&
			(region == "" || region == b.Scope.Region) && b.Name > after {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b *bucket.Bucket) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func pageSize(text string) (int, error) {
	if text == "" {
		return 10000, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 10000 {
		return 0, fault.New(fault.InvalidArgument, "Argument max-buckets must be an integer between 1 and 10000")
	}
	return n, nil
}
