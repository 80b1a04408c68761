package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/berthhq/berth/domain/image"
)

// Client reads and changes the images of a registry over its socket, with no
// questions asked about who wants it. Errors wrap those of domain/image.
type Client struct {
	http *http.Client
}

// NewClient speaks to the registry that serves the unix socket, now or later.
func NewClient(socket string) *Client { return &Client{http: &http.Client{Transport: dial(socket)}} }

// dial is a transport whose every request goes to the socket.
func dial(socket string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true, // layers are compressed, digests are of the bytes as they are
	}
}

// Healthy tells whether the registry answers.
func (c *Client) Healthy(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/inside/health", nil, nil, nil)
}

// Images lists the images of a repository, oldest push first.
func (c *Client) Images(ctx context.Context, p image.Place) ([]image.Stored, error) {
	var images []image.Stored
	return images, c.call(ctx, http.MethodGet, "/inside/images/"+p.Path(), nil, nil, &images)
}

// Purge removes all images of a repository and its unfinished uploads.
func (c *Client) Purge(ctx context.Context, p image.Place) error {
	return c.call(ctx, http.MethodDelete, "/inside/images/"+p.Path(), nil, nil, nil)
}

// Manifest reads the manifest of a tag or digest.
func (c *Client) Manifest(ctx context.Context, p image.Place, version string) (image.Manifest, error) {
	answer, err := c.send(ctx, http.MethodGet, "/v2/"+p.Path()+"/manifests/"+version, acceptAll(), nil)
	if err != nil {
		return image.Manifest{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return image.Manifest{
		Digest: answer.Header.Get("Docker-Content-Digest"), MediaType: answer.Header.Get("Content-Type"), Text: text,
	}, err
}

func acceptAll() http.Header {
	return http.Header{"Accept": {
		"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
	}}
}

// PutManifest stores a manifest under a tag or its digest. With immutable, a tag
// that is another image's already stays so: image.ErrTagImmutable.
func (c *Client) PutManifest(ctx context.Context, p image.Place, version string, m image.Manifest, immutable bool) error {
	header := http.Header{"Content-Type": {m.MediaType}}
	if immutable {
		header.Set(headerImmutable, "1")
	}
	return c.call(ctx, http.MethodPut, "/v2/"+p.Path()+"/manifests/"+version, header, bytes.NewReader(m.Text), nil)
}

// Delete removes an image by its digest with all its tags, or only a tag.
func (c *Client) Delete(ctx context.Context, p image.Place, version string) error {
	return c.call(ctx, http.MethodDelete, "/v2/"+p.Path()+"/manifests/"+version, nil, nil, nil)
}

// LayerSize is the size in bytes of a layer the repository has.
func (c *Client) LayerSize(ctx context.Context, p image.Place, digest string) (int64, error) {
	answer, err := c.send(ctx, http.MethodHead, "/v2/"+p.Path()+"/blobs/"+digest, nil, nil)
	if err != nil {
		return 0, err
	}
	return answer.ContentLength, answer.Body.Close()
}

// StartUpload begins the upload of a layer and returns its id.
func (c *Client) StartUpload(ctx context.Context, p image.Place) (string, error) {
	var state uploadState
	err := c.call(ctx, http.MethodPost, "/inside/uploads/"+p.Path(), nil, nil, &state)
	return state.ID, err
}

// AppendUpload adds bytes, the first of which is number first, and returns how
// many the upload has.
func (c *Client) AppendUpload(ctx context.Context, p image.Place, id string, first int64, part []byte) (int64, error) {
	query := url.Values{"id": {id}, "first": {strconv.FormatInt(first, 10)}}
	var state uploadState
	err := c.call(ctx, http.MethodPatch, "/inside/uploads/"+p.Path()+"?"+query.Encode(), nil, bytes.NewReader(part), &state)
	return state.Size, err
}

// FinishUpload makes the uploaded bytes a layer of the repository if they have
// the digest.
func (c *Client) FinishUpload(ctx context.Context, p image.Place, id, digest string) error {
	query := url.Values{"id": {id}, "digest": {digest}}
	return c.call(ctx, http.MethodPut, "/inside/uploads/"+p.Path()+"?"+query.Encode(), nil, nil, nil)
}

// call sends a request and reads a JSON answer into out unless out is nil.
func (c *Client) call(ctx context.Context, method, path string, header http.Header, body io.Reader, out any) error {
	answer, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// send returns only successful answers.
func (c *Client) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://registry"+path, body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	if answer.StatusCode < http.StatusMultipleChoices {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, failure(answer)
}

// failure reads an error answer.
func failure(answer *http.Response) error {
	var problems struct {
		Errors []struct {
			Code, Message string
			Detail        any
		}
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	_ = json.Unmarshal(text, &problems)
	code, message := "", strings.TrimSpace(string(text))
	if len(problems.Errors) > 0 {
		code, message = problems.Errors[0].Code, problems.Errors[0].Message
		if problems.Errors[0].Detail != nil {
			message += fmt.Sprintf(" (%v)", problems.Errors[0].Detail)
		}
	}
	return fmt.Errorf("%w: %s", kindOfFailure(answer.Request.Method, answer.StatusCode, code), message)
}

func kindOfFailure(method string, status int, code string) error {
	switch {
	case code == "BLOB_UPLOAD_UNKNOWN":
		return image.ErrUploadNotFound
	case code == "MANIFEST_BLOB_UNKNOWN", method == http.MethodPut && (code == "MANIFEST_UNKNOWN" || code == "BLOB_UNKNOWN"):
		return image.ErrPartsMissing
	case code == "TAG_INVALID":
		return image.ErrTagImmutable
	case status == http.StatusNotFound:
		return image.ErrNotFound
	case status == http.StatusInsufficientStorage:
		return image.ErrFull
	case status < http.StatusInternalServerError:
		return image.ErrInvalid
	default:
		return fmt.Errorf("registry answered %d", status)
	}
}
