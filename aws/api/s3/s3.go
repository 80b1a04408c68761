// Package s3 answers Amazon S3: it proves and authorises each request, keeps the
// records of buckets, and lets what concerns objects flow to the program that keeps
// them (plane/objects) and back.
//
// A request is read into what it asks for (asked.go), which is one row of a table
// (operation.go); the row says what the caller must be allowed to do (needs.go). What
// is in no row is refused. Most rows are then answered by the keeper of objects
// (forward.go), a few by ourselves (buckets.go, policy.go, delete.go).
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html
package s3

import (
	"context"
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
	"github.com/berthhq/berth/store"
)

// Scope is what requests to S3 are signed for.
const Scope = "s3"

// Authoriser tells whether the caller may do what is needed. Its refusal is a
// fault.AccessDenied. The policies of buckets are in store.Buckets.
type Authoriser interface {
	Authorise(ctx context.Context, call *gateway.Call, need gateway.Need) error
}

// Config is what a Front is made of.
type Config struct {
	Store      store.Store
	Objects    http.RoundTripper // to the keeper of objects
	Keys       sigv4.Keys        // that the keeper knows
	Region     string            // that the keeper knows
	Authoriser Authoriser
	// CheckPolicy refuses what is no bucket policy.
	CheckPolicy func(text string) error
}

// Front is S3, as the gateway has it.
type Front struct{ Config }

// New makes a Front.
func New(c Config) *Front { return &Front{c} }

// exchange is one request on its way.
type exchange struct {
	*Front
	w    http.ResponseWriter
	r    *http.Request
	pass *gateway.Passage
	call *gateway.Call
	body *sigv4.Flow
	asked
	op *operation
}

// Serve implements gateway.Front.
func (f *Front) Serve(w http.ResponseWriter, r *http.Request, p *gateway.Passage) {
	x := &exchange{Front: f, w: w, r: r, pass: p, call: p.Call()}
	if err := x.serve(); err != nil {
		x.refuse(err)
	}
}

func (x *exchange) serve() (err error) {
	if x.asked, err = read(x.r); err == nil {
		x.op, err = x.find()
	}
	if x.op != nil {
		x.call.Operation = x.op.name
	}
	x.pass.Note(x.asked.noted())
	if x.body, err = proven(x.pass.Prove, err); err != nil {
		return err
	}
	if x.pass.Claim().Older && bucketOfHost(x.r.Host) != "" {
		return fault.New(fault.InvalidRequest, "Signature Version 2 is taken with the bucket in the path only.").
			WithHint("sign by version 4: signature_version s3v4")
	}
	if err := x.checkOwner(); err != nil {
		return err
	}
	if err := x.authorise(x.needs()...); err != nil {
		return err
	}
	if x.op.serve != nil {
		return x.op.serve(x)
	}
	return x.forward()
}

// proven proves the caller before it says what is wrong with the question: who is not
// proven learns nothing.
func proven(prove func() (*sigv4.Flow, error), wrong error) (*sigv4.Flow, error) {
	flow, err := prove()
	if err == nil {
		err = wrong
	}
	return flow, err
}

// refuse answers with the fault in err, unless an answer is under way.
func (x *exchange) refuse(err error) {
	f := inWords(fault.Of(err), x.pass.Claim())
	x.pass.Refused(f)
	x.writeError(f)
}
