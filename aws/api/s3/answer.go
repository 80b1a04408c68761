package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// identify names the request in its answer.
func (x *exchange) identify(h http.Header) {
	h.Set("X-Amz-Request-Id", x.call.ID)
	h.Set("X-Amz-Id-2", x.call.ID)
}

// answer sends XML with status 200.
func (x *exchange) answer(body any) error {
	text, err := xml.Marshal(body)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, "application/xml", append([]byte(xml.Header), text...))
	return nil
}

func (x *exchange) send(status int, kind string, body []byte) {
	h := x.w.Header()
	x.identify(h)
	if len(body) > 0 {
		h.Set("Content-Type", kind)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // a caller who left does not want it
	}
}

type errorBody struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	BucketName string `xml:",omitempty"`
	Resource   string `xml:",omitempty"`
	RequestID  string `xml:"RequestId"`
	HostID     string `xml:"HostId"`
}

func (x *exchange) writeError(f *fault.Fault) {
	status, code := f.Kind.OnS3()
	if f.Kind == fault.IncompleteSignature && strings.Contains(x.r.URL.RawQuery, "X-Amz-Signature=") {
		code = "AuthorizationQueryParametersError"
	}
	e := errorBody{Code: code, Message: f.Error(), Resource: x.r.URL.Path, RequestID: x.call.ID, HostID: x.call.ID}
	if f.Kind == fault.NoSuchBucket && len(f.Resources) > 0 {
		e.BucketName = f.Resources[0]
	}
	body, err := xml.Marshal(e)
	if err != nil {
		body = nil // never: it is text alone
	}
	x.send(status, "application/xml", append([]byte(xml.Header), body...))
}

// inWords gives a fault of authentication the words of S3. claim is nil where none
// was read.
func inWords(f *fault.Fault, claim *sigv4.Claim) *fault.Fault {
	said := *f
	switch presigned := claim != nil && claim.Presigned; f.Kind {
	case fault.MissingAuthentication:
		said.Message = "Access Denied"
	case fault.UnrecognizedClient:
		said.Message = "The AWS Access Key Id you provided does not exist in our records."
	case fault.InvalidToken:
		said.Message = "The provided token is malformed or otherwise invalid."
	case fault.ExpiredToken:
		said.Message = "The provided token has expired."
	case fault.SignatureExpired:
		switch early := strings.HasPrefix(f.Message, "Signature not yet current"); {
		case !presigned:
			said.Message = "The difference between the request time and the current time is too large."
		case early:
			said.Kind, said.Message = fault.AccessDenied, "Request is not yet valid"
		default:
			said.Kind, said.Message = fault.AccessDenied, "Request has expired"
		}
	}
	return &said
}

func bucketARN(x *exchange) string { return bucket.ARN(x.call.Scope.Region, x.bucket, "") }
