package client

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Object reads an object of S3, addressed by path. Its errors are *Error.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (c *Client) Object(ctx context.Context, bucket, key string) ([]byte, error) {
	var path strings.Builder
	for part := range strings.SplitSeq(bucket+"/"+key, "/") {
		path.WriteString("/" + url.PathEscape(part))
	}
	content, err := c.do(ctx, http.MethodGet, path.String(), "s3", http.Header{}, nil)
	if refused, ok := errors.AsType[*Error](err); ok {
		return nil, refused.fromXML()
	}
	return content, err
}

// fromXML reads the form in which S3 refuses; an answer in another stays as it is.
func (e *Error) fromXML() *Error {
	var said struct {
		Code, Message string
	}
	if xml.Unmarshal([]byte(e.Message), &said) == nil && said.Code != "" {
		return &Error{Status: e.Status, Code: said.Code, Message: said.Message}
	}
	return e
}
