package registry

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
)

// tagLocks serialises writers of one tag, so that looking whether a tag is there
// and putting it are one step. Tags that share a stripe wait for each other
// needlessly but harmlessly.
type tagLocks struct {
	once    sync.Once
	seed    maphash.Seed
	stripes [64]sync.Mutex
}

// lock takes the tag's lock and returns how to give it back.
func (l *tagLocks) lock(repository, tag string) (unlock func()) {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	stripe := &l.stripes[maphash.String(l.seed, repository+":"+tag)%uint64(len(l.stripes))]
	stripe.Lock()
	return stripe.Unlock
}

// serveTags lists tags in order, a page at a time when the client says n.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
func (r *Registry) serveTags(w http.ResponseWriter, req *http.Request, to route) {
	if !to.valid() {
		refuse(http.StatusBadRequest, "NAME_INVALID", "invalid repository name").write(w)
		return
	}
	tags, err := r.contents.tags(req.Context(), to.name)
	if err != nil {
		r.config.Log.Error("could not list tags", "repository", to.name, "error", err)
		refuse(http.StatusInternalServerError, "UNKNOWN", "could not list the tags").write(w)
		return
	}
	names := slices.Sorted(maps.Keys(tags))
	query := req.URL.Query()
	if after, given := query["last"]; given {
		i, found := slices.BinarySearch(names, after[0])
		if found {
			i++
		}
		names = names[i:]
	}
	if text := query.Get("n"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			refuse(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested: %q", text).write(w)
			return
		}
		if n < len(names) {
			names = names[:n]
			if n > 0 {
				next := url.Values{"n": {text}, "last": {names[n-1]}}
				w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, req.URL.Path, next.Encode()))
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if names == nil {
		names = []string{}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": publicName(req, to), "tags": names})
}
