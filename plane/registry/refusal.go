package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error answer of the registry protocol.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return r.message }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

func (r *refusal) write(w http.ResponseWriter) {
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, _ := json.Marshal(map[string][]problem{"errors": {{r.code, r.message}}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_, _ = w.Write(append(body, '\n'))
}
