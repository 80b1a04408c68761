package metadata

import (
	"encoding/json"
	"net/http"
)

// protectionError is the ECS agent's form of a refusal.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
type protectionError struct {
	Error protectionReason `json:"error"`
}

type protectionReason struct {
	Arn     string `json:",omitempty"`
	Code    string
	Message string
}

// taskProtection refuses until services and their protection exist.
func (s *Server) taskProtection(w http.ResponseWriter, r *http.Request) {
	t, _, ok := s.owner(r)
	if !ok {
		reply(w, http.StatusNotFound, protectionError{protectionReason{Code: "ResourceNotFoundException", Message: "Failed to find a task for the request"}})
		return
	}
	if r.Method == http.MethodPut && !validProtection(r) {
		reply(w, http.StatusBadRequest, protectionError{protectionReason{Arn: t.Order.ARN, Code: "InvalidParameterException",
			Message: "Invalid request: does not contain 'ProtectionEnabled' field"}})
		return
	}
	reply(w, http.StatusBadRequest, protectionError{protectionReason{Arn: t.Order.ARN, Code: "UnsupportedFeatureException",
		Message: "Task scale-in protection is not available in this version of berth."}})
}

func validProtection(r *http.Request) bool {
	var asked struct {
		ProtectionEnabled *bool
		ExpiresInMinutes  *int64
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<10))
	d.DisallowUnknownFields()
	return d.Decode(&asked) == nil && asked.ProtectionEnabled != nil
}

// fault refuses: no fault can be injected yet.
func (s *Server) fault(w http.ResponseWriter, r *http.Request) {
	t, _, ok := s.owner(r)
	switch {
	case !ok:
		reply(w, http.StatusNotFound, faultError{"unable to lookup container"})
	case !t.Order.EnableFaultInjection:
		reply(w, http.StatusBadRequest, faultError{"enableFaultInjection is not enabled for task: " + t.Order.ARN})
	default:
		reply(w, http.StatusBadRequest, faultError{"fault injection is not available in this version of berth"})
	}
}

type faultError struct{ Error string }
