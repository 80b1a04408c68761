package relay

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/berthhq/berth/domain/fault"
)

// operation is what a request asks for; empty where only the path tells, as in REST.
// A request that names two is refused: the engine might take the other.
func operation(r *http.Request, body []byte) (string, error) {
	var named []string
	for _, target := range r.Header.Values("X-Amz-Target") {
		named = append(named, target[strings.LastIndexByte(target, '.')+1:])
	}
	named = append(named, actions(r.URL.RawQuery)...)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		named = append(named, actions(string(body))...)
	}
	if _, name, ok := strings.Cut(r.URL.Path, "/operation/"); ok && r.Header.Get("Smithy-Protocol") != "" {
		named = append(named, name)
	}
	switch {
	case len(named) == 0:
		return "", nil
	case len(named) == 1 && word(named[0]):
		return named[0], nil
	}
	return "", fault.New(fault.InvalidAction, "The request does not name one operation.")
}

func actions(form string) []string {
	q, err := url.ParseQuery(form)
	if err != nil {
		return []string{"", ""} // unreadable: as bad as two
	}
	return q["Action"]
}

func word(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	})
}
