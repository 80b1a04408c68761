package registry

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/berthhq/berth/domain/image"
)

// Headers by which the gate speaks to the registry. The gate drops them from what
// clients send.
const (
	headerImmutable  = "Berth-Tag-Immutable" // "1": the tag must not move
	headerPublicName = "Berth-Public-Name"   // the repository's name for answers
)

// maxManifest is the size that distribution allows a manifest, in bytes.
const maxManifest = 4 << 20

func (r *Registry) paths() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/", r.serveProtocol)
	r.addInside(mux)
	return mux
}

// serveProtocol is the registry protocol with what distribution leaves out:
// immutable tags, a full disk, and lists of tags without half-made ones.
func (r *Registry) serveProtocol(w http.ResponseWriter, req *http.Request) {
	to := parseRoute(req.URL.Path)
	if to.kind == tagsKind && req.Method == http.MethodGet {
		r.serveTags(w, req, to)
		return
	}
	if writes(req.Method) {
		if refused := r.disk.refusal(); refused != nil {
			refused.write(w)
			return
		}
	}
	if to.kind == manifestKind && req.Method == http.MethodPut {
		defer r.tagLocks.lock(to.name, to.ref)()
		if refused := r.immutable(req, to); refused != nil {
			refused.write(w)
			return
		}
	}
	if finishes(req.Method, to) {
		r.sweeping.RLock()
		defer r.sweeping.RUnlock()
	}
	answer := &answer{ResponseWriter: w}
	r.backend.ServeHTTP(answer, req)
	r.afterwards(answer, req, to)
}

// writes tells whether the method takes space.
func writes(method string) bool {
	return method == http.MethodPost || method == http.MethodPatch || method == http.MethodPut
}

// finishes tells whether the request makes layers or manifests visible, or
// promises that a layer is there.
func finishes(method string, to route) bool {
	switch to.kind {
	case manifestKind:
		return method == http.MethodPut || method == http.MethodDelete
	case uploadKind:
		return method == http.MethodPut || method == http.MethodPost
	case blobKind:
		return method == http.MethodHead
	default:
		return false
	}
}

// afterwards sends an answer of failure that was held back, in our words where
// the disk is to blame, and cleans up.
func (r *Registry) afterwards(a *answer, req *http.Request, to route) {
	if a.status < http.StatusInternalServerError {
		r.notePromise(a.status, req, to)
		return
	}
	_, left, err := r.disk.usage()
	if bytes.Contains(a.body.Bytes(), []byte("no space left on device")) || err == nil && left < 1<<20 {
		if to.kind == uploadKind && to.ref != "" {
			r.dropUpload(req, to)
		}
		r.config.Log.Error("registry disk is full", "folder", r.config.Root, "repository", to.name)
		r.disk.overflow().write(a.ResponseWriter)
		return
	}
	r.config.Log.Error("registry request failed", "method", req.Method, "repository", to.name, "status", a.status, "answer", strings.TrimSpace(a.body.String()))
	a.release()
}

// notePromise remembers which blobs a client now counts on: one it asked for,
// mounted, or sent although it was there already.
func (r *Registry) notePromise(status int, req *http.Request, to route) {
	switch {
	case to.kind == blobKind && status == http.StatusOK:
		r.contents.touch(to.ref)
	case to.kind == uploadKind && status == http.StatusCreated:
		query := req.URL.Query()
		r.contents.touch(query.Get("mount") + query.Get("digest"))
	}
}

func (r *Registry) dropUpload(req *http.Request, to route) {
	if !to.valid() {
		return
	}
	if err := r.backend.driver.Delete(req.Context(), repositoryFolder(to.name)+"/_uploads/"+to.ref); err != nil {
		r.config.Log.Warn("could not remove a failed upload", "repository", to.name, "upload", to.ref, "error", err)
	}
}

// immutable refuses to move a tag that must not move. The caller holds the tag's
// lock. Putting the same image again is not a move.
func (r *Registry) immutable(req *http.Request, to route) *refusal {
	if req.Header.Get(headerImmutable) == "" || !image.ValidTag(to.ref) {
		return nil
	}
	there, err := r.contents.tag(req.Context(), to.name, to.ref)
	if err != nil || there == "" {
		return nil
	}
	// One byte more than distribution takes, so that it still refuses the excess.
	body, err := io.ReadAll(io.LimitReader(req.Body, maxManifest+1))
	if err == nil && digest.FromBytes(body).String() == there {
		req.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	}
	return refuse(http.StatusBadRequest, "TAG_INVALID",
		"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.",
		to.ref, publicName(req, to))
}

func publicName(req *http.Request, to route) string {
	if name := req.Header.Get(headerPublicName); name != "" {
		return name
	}
	return to.name
}

// answer passes successes through and holds failures of the server back, so that
// they can be told better.
type answer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer // of a failure
}

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	if status < http.StatusInternalServerError {
		a.ResponseWriter.WriteHeader(status)
	}
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status >= http.StatusInternalServerError {
		return a.body.Write(p)
	}
	return a.ResponseWriter.Write(p)
}

func (a *answer) release() {
	a.ResponseWriter.WriteHeader(a.status)
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
