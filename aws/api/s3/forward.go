package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/protocol/sigv4"
)

// forward lets the keeper of objects answer.
func (x *exchange) forward() error {
	answer, err := x.ask(x.question())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := x.hide(answer); err != nil {
		return err
	}
	x.passOn(answer)
	return nil
}

// question is the request as the keeper gets it: path style, without what was for us,
// the body as we prove it.
func (x *exchange) question() (*http.Request, error) {
	return x.questionOf(x.r.Method, x.query, x.forwarded(), x.body)
}

// questionOf is a question about the request's bucket and key.
func (x *exchange) questionOf(method string, query url.Values, header http.Header, body *sigv4.Flow) (*http.Request, error) {
	path := "/" + x.bucket
	if x.key != "" {
		path += "/" + x.key
	}
	q := url.Values{}
	for name, values := range query {
		if !unseen(name) {
			q[name] = values
		}
	}
	r, err := http.NewRequestWithContext(x.r.Context(), method, "http://objects/", nil)
	if err != nil {
		return nil, err
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, escape(path), q.Encode()
	r.Header = header
	payload := give(r, body)
	r.Header.Set("X-Amz-Content-Sha256", payload)
	return r, sigv4.SignPayload(r, payload, x.Keys, Scope, x.Region, x.call.Now)
}

// give makes the flow the request's body and says how it is signed. A trailer goes on
// to the keeper, which checks it and keeps it: then the body is one chunk.
func give(r *http.Request, body *sigv4.Flow) (payload string) {
	if body == nil || body.Length == 0 && body.Announced == nil {
		return sigv4.UnsignedPayload
	}
	if body.Announced == nil {
		r.Body, r.ContentLength = io.NopCloser(body), body.Length
		return sigv4.UnsignedPayload
	}
	head, tail := "", "0\r\n"
	if body.Length > 0 {
		head, tail = strconv.FormatInt(body.Length, 16)+"\r\n", "\r\n0\r\n"
	}
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.FormatInt(body.Length, 10))
	r.Header.Set("X-Amz-Trailer", strings.ToLower(strings.Join(body.Announced, ",")))
	r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(head), body, &trailer{flow: body, head: tail})), -1
	return sigv4.UnsignedChunksTrailer
}

// trailer writes the trailer of a flow that was read to its end.
type trailer struct {
	flow *sigv4.Flow
	head string
	text io.Reader // nil before the first Read
}

func (t *trailer) Read(p []byte) (int, error) {
	if t.text == nil {
		text := t.head
		for _, name := range t.flow.Announced {
			text += strings.ToLower(name) + ":" + t.flow.Trailer.Get(name) + "\r\n"
		}
		t.text = strings.NewReader(text + "\r\n")
	}
	return t.text.Read(p)
}

// forwarded are the headers that mean something to the keeper.
func (x *exchange) forwarded() http.Header {
	out := http.Header{}
	for name, values := range x.r.Header {
		if plainHeader(name) || strings.HasPrefix(name, "X-Amz-") && !ours(name) {
			out[name] = values
		}
	}
	if encodings := contentEncoding(x.r.Header); encodings != "" {
		out.Set("Content-Encoding", encodings)
	}
	if x.source != nil {
		out.Set("X-Amz-Copy-Source", x.source.header())
	}
	return out
}

// plainHeader tells whether a header of HTTP belongs to an object or its conditions.
func plainHeader(name string) bool {
	switch name {
	case "Content-Type", "Content-Md5", "Content-Language", "Content-Disposition", "Cache-Control", "Expires",
		"Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range":
		return true
	}
	return false
}

// ours tells whether a header of AWS was for us alone.
func ours(name string) bool {
	switch name {
	case "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Decoded-Content-Length", "X-Amz-Trailer", "X-Amz-User-Agent",
		"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner", "X-Amz-Request-Payer", "X-Amz-Acl",
		"X-Amz-Server-Side-Encryption", "X-Amz-Copy-Source":
		return true
	}
	return false
}

// contentEncoding is the object's own: aws-chunked is the request's.
func contentEncoding(h http.Header) string {
	var kept []string
	for part := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

// ask sends a question to the keeper. What was wrong with the body comes first.
func (x *exchange) ask(r *http.Request, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	answer, err := x.Objects.RoundTrip(r)
	if wrong := x.body.Err(); wrong != nil {
		if err == nil {
			_ = answer.Body.Close()
		}
		return nil, wrong
	}
	if err != nil && x.r.Context().Err() == nil {
		return nil, fault.New(fault.Unavailable, "The keeper of objects does not answer. Please try again.").Because(err).
			WithHint("`berth storage` runs it: its log tells more")
	}
	return answer, err
}

// hide makes "not found" "denied" for callers who may not list the bucket, as S3 does.
func (x *exchange) hide(answer *http.Response) error {
	if answer.StatusCode != http.StatusNotFound || x.op.on != ofObject || x.op.action != "GetObject" {
		return nil
	}
	list := x.need("ListBucket")
	list.Action, list.Resources = "s3:ListBucket", []string{bucketARN(x)}
	return x.mayUse(x.r.Context(), list)
}

// passOn sends the keeper's answer on.
func (x *exchange) passOn(answer *http.Response) {
	h := x.w.Header()
	for name, values := range answer.Header {
		switch name {
		case "Connection", "Date", "Server", "Keep-Alive", "Transfer-Encoding", "X-Amz-Request-Id", "X-Amz-Id-2":
		default:
			h[name] = values
		}
	}
	x.identify(h)
	if answer.StatusCode >= http.StatusBadRequest {
		x.pass.Refused(fault.New(fault.InvalidRequest, "%s", answer.Status))
	}
	x.w.WriteHeader(answer.StatusCode)
	body := &noticed{Reader: answer.Body}
	_, _ = io.Copy(x.w, body) // a caller who left does not want the rest
	if body.err != nil && x.r.Context().Err() == nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// noticed remembers why a reader ended early.
type noticed struct {
	io.Reader
	err error
}

func (n *noticed) Read(p []byte) (int, error) {
	count, err := n.Reader.Read(p)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return count, err
}

// tell is ask for a question of our own without a body.
func (x *exchange) tell(ctx context.Context, method string) (*http.Response, error) {
	r, err := x.questionOf(method, nil, http.Header{}, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the keeper of objects: %w", err)
	}
	return x.ask(r.WithContext(ctx), nil)
}
