package registry

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/distribution/distribution/v3"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/opencontainers/go-digest"

	"github.com/berthhq/berth/domain/image"
)

// addInside adds what the ECR API needs and the registry protocol lacks. Only the
// socket's owner reaches it; the gate passes nothing here.
func (r *Registry) addInside(mux *http.ServeMux) {
	mux.HandleFunc("GET /inside/images/{path...}", r.inside(r.insideImages))
	mux.HandleFunc("DELETE /inside/images/{path...}", r.inside(r.insidePurge))
	mux.HandleFunc("POST /inside/uploads/{path...}", r.inside(r.insideStart))
	mux.HandleFunc("PATCH /inside/uploads/{path...}", r.inside(r.insideAppend))
	mux.HandleFunc("PUT /inside/uploads/{path...}", r.inside(r.insideFinish))
	mux.HandleFunc("GET /inside/health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

// inside turns a function into a handler: its result is JSON, its error a refusal.
func (r *Registry) inside(serve func(path string, req *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		path := req.PathValue("path")
		if !image.ValidPath(path) {
			refuse(http.StatusBadRequest, "NAME_INVALID", "%q is not a repository name", path).write(w)
			return
		}
		result, err := serve(path, req)
		if err != nil {
			r.insideRefusal(path, err).write(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result)
	}
}

func (r *Registry) insideRefusal(path string, err error) *refusal {
	var known *refusal
	switch {
	case errors.As(err, &known):
		return known
	case isGone(err):
		return refuse(http.StatusNotFound, "NAME_UNKNOWN", "%v", err)
	case isFull(err):
		return r.disk.overflow()
	default:
		r.config.Log.Error("registry request failed", "repository", path, "error", err)
		return refuse(http.StatusInternalServerError, "UNKNOWN", "%v", err)
	}
}

func (r *Registry) insideImages(path string, req *http.Request) (any, error) {
	return r.contents.images(req.Context(), path)
}

func (r *Registry) insidePurge(path string, req *http.Request) (any, error) {
	r.sweeping.RLock()
	defer r.sweeping.RUnlock()
	return struct{}{}, r.contents.purge(req.Context(), path)
}

// uploadState answers each step of a layer upload.
type uploadState struct {
	ID     string `json:"id"`
	Size   int64  `json:"size"` // bytes so far
	Digest string `json:"digest,omitempty"`
}

func (r *Registry) insideStart(path string, req *http.Request) (any, error) {
	if full := r.disk.refusal(); full != nil {
		return nil, full
	}
	repository, err := r.backend.repository(req.Context(), path)
	if err != nil {
		return nil, err
	}
	upload, err := repository.Blobs(req.Context()).Create(req.Context())
	if err != nil {
		return nil, err
	}
	return uploadState{ID: upload.ID()}, upload.Close()
}

func (r *Registry) insideAppend(path string, req *http.Request) (any, error) {
	upload, err := r.resume(path, req)
	if err != nil {
		return nil, err
	}
	defer upload.Close()
	first, err := strconv.ParseInt(req.URL.Query().Get("first"), 10, 64)
	if err != nil || first != upload.Size() {
		return nil, refuse(http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "the next byte of the upload is %d", upload.Size())
	}
	if _, err := upload.ReadFrom(req.Body); err != nil {
		return nil, err
	}
	return uploadState{ID: upload.ID(), Size: upload.Size()}, nil
}

func (r *Registry) insideFinish(path string, req *http.Request) (any, error) {
	upload, err := r.resume(path, req)
	if err != nil {
		return nil, err
	}
	defer upload.Close()
	r.sweeping.RLock()
	defer r.sweeping.RUnlock()
	want := req.URL.Query().Get("digest")
	done, err := upload.Commit(req.Context(), v1.Descriptor{Digest: digest.Digest(want)})
	if invalid, ok := errors.AsType[distribution.ErrBlobInvalidDigest](err); ok {
		_ = upload.Cancel(req.Context())
		return nil, refuse(http.StatusBadRequest, "DIGEST_INVALID", "%v", invalid)
	}
	if err != nil {
		return nil, err
	}
	r.contents.touch(done.Digest.String())
	return uploadState{ID: upload.ID(), Size: done.Size, Digest: done.Digest.String()}, nil
}

func (r *Registry) resume(path string, req *http.Request) (distribution.BlobWriter, error) {
	id := req.URL.Query().Get("id")
	if !image.ValidTag(id) {
		return nil, refuse(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "%q is not an upload", id)
	}
	repository, err := r.backend.repository(req.Context(), path)
	if err != nil {
		return nil, err
	}
	upload, err := repository.Blobs(req.Context()).Resume(req.Context(), id)
	if errors.Is(err, distribution.ErrBlobUploadUnknown) {
		return nil, refuse(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "there is no upload %s", id)
	}
	return upload, err
}
