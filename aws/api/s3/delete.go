package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3 asks for Content-MD5
	"encoding/base64"
	"encoding/xml"
	"net/http"

	"github.com/berthhq/berth/aws/gateway"
	"github.com/berthhq/berth/domain/bucket"
	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// maxDeletes is AWS's limit of keys in a DeleteObjects.
const maxDeletes = 1000

type deletion struct {
	XMLName xml.Name       `xml:"Delete"`
	Objects []deleteObject `xml:"Object"`
	Quiet   bool           `xml:",omitempty"`
}

type deleteObject struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	ETag      string `xml:",omitempty"`
}

type deleted struct {
	XMLName xml.Name      `xml:"DeleteResult"`
	NS      string        `xml:"xmlns,attr"`
	Deleted []deletedKey  `xml:"Deleted"`
	Errors  []deleteError `xml:"Error"`
}

type deletedKey struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

// deleteObjects deletes those of the keys that the caller may delete.
func (x *exchange) deleteObjects() error {
	text, err := x.text()
	if err != nil {
		return err
	}
	var asked deletion
	if err := xml.Unmarshal(text, &asked); err != nil || len(asked.Objects) == 0 || len(asked.Objects) > maxDeletes {
		return malformedXML()
	}
	result := deleted{NS: namespace}
	allowed := deletion{Quiet: asked.Quiet}
	for _, o := range asked.Objects {
		if err := x.mayDelete(o); err != nil {
			_, code := fault.Of(err).Kind.OnS3()
			result.Errors = append(result.Errors, deleteError{o.Key, o.VersionID, code, fault.Of(err).Error()})
			continue
		}
		allowed.Objects = append(allowed.Objects, o)
	}
	if len(allowed.Objects) > 0 {
		if done, err := x.deleteAllowed(allowed, &result); done || err != nil {
			return err
		}
	}
	return x.answer(result)
}

func (x *exchange) mayDelete(o deleteObject) error {
	if err := checkKey(o.Key); err != nil {
		return err
	}
	action := "s3:DeleteObject"
	if o.VersionID != "" {
		action = "s3:DeleteObjectVersion"
	}
	return x.mayUse(x.r.Context(), gateway.Need{Action: action, Resources: []string{bucket.ARN(x.call.Scope.Region, x.bucket, o.Key)}, Keys: x.keys()})
}

// deleteAllowed has the keeper delete. done tells that its answer went on as it is.
func (x *exchange) deleteAllowed(allowed deletion, result *deleted) (done bool, err error) {
	text, err := xml.Marshal(allowed)
	if err != nil {
		return false, err
	}
	sum := md5.Sum(text) //nolint:gosec // as above
	header := http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "Content-Type": {"application/xml"}}
	answer, err := x.ask(x.questionOf(http.MethodPost, x.query, header, sigv4.FlowOf(bytes.NewReader(text), int64(len(text)))))
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		x.passOn(answer)
		return true, nil
	}
	var more deleted
	if err := xml.NewDecoder(answer.Body).Decode(&more); err != nil {
		return false, err
	}
	if !allowed.Quiet {
		result.Deleted = more.Deleted
	}
	result.Errors = append(result.Errors, more.Errors...)
	return false, nil
}
