package metadata

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/berthhq/berth/domain/task"
)

func (s *Server) taskRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/credentials", func(w http.ResponseWriter, r *http.Request) {
		s.credentials(w, r, r.URL.Query().Get("id"), "CredentialsV1Request")
	})
	mux.HandleFunc("GET /v2/credentials/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.credentials(w, r, r.PathValue("id"), "CredentialsV2Request")
	})
	mux.HandleFunc("GET /v2/credentials", func(w http.ResponseWriter, r *http.Request) {
		s.credentials(w, r, "", "CredentialsV2Request")
	})
	mux.HandleFunc("GET /v2/metadata", s.bySource(s.showTask))
	mux.HandleFunc("GET /v2/metadata/{container}", s.bySource(s.showContainer))
	mux.HandleFunc("GET /v2/metadataWithTags", s.bySource(s.showTags))
	mux.HandleFunc("GET /v2/stats", s.bySource(s.taskStats))
	mux.HandleFunc("GET /v2/stats/{container}", s.bySource(s.containerStats))
	for _, v := range []version{3, 4} {
		at := fmt.Sprintf("GET /v%d/{id}", v)
		mux.HandleFunc(at, s.byID(v, s.showContainer))
		mux.HandleFunc(at+"/task", s.byID(v, s.showTask))
		mux.HandleFunc(at+"/taskWithTags", s.byID(v, s.showTags))
		mux.HandleFunc(at+"/stats", s.byID(v, s.containerStats))
		mux.HandleFunc(at+"/task/stats", s.byID(v, s.taskStats))
		mux.HandleFunc(at+"/associations/{type}", s.byID(v, s.associations))
	}
	mux.HandleFunc("GET /api/{id}/task-protection/v1/state", s.taskProtection)
	mux.HandleFunc("PUT /api/{id}/task-protection/v1/state", s.taskProtection)
	mux.HandleFunc("POST /api/{id}/fault/v1/{kind}/{action}", s.fault)
	return withoutFinalSlash(mux)
}

// withoutFinalSlash serves /v4/ID/ as /v4/ID, as clients write both.
func withoutFinalSlash(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; len(p) > 1 {
			r.URL.Path = strings.TrimRight(p, "/")
		}
		h.ServeHTTP(w, r)
	})
}

// subject is what a request is about.
type subject struct {
	version   version
	task      *Task
	container string // name; empty when the whole task is meant
}

// version of the metadata endpoint.
type version int

type answer func(w http.ResponseWriter, r *http.Request, about subject)

// byID finds the subject by the id in the path. In a router the id must be the
// caller's own.
func (s *Server) byID(v version, then answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, container, ok := s.owner(r)
		if !ok {
			reply(w, http.StatusNotFound, fmt.Sprintf("V%d metadata handler: unable to get the container of this endpoint ID", v))
			return
		}
		then(w, r, subject{version: v, task: t, container: container})
	}
}

// owner finds the task and container of the id in the path.
func (s *Server) owner(r *http.Request) (*Task, string, bool) {
	arn, container, ok := s.cfg.Tasks.Owner(r.PathValue("id"))
	if who := caller(r); !ok || who.Task != "" && who.Task != arn {
		return nil, "", false
	}
	t, ok := s.cfg.Tasks.Task(arn)
	return t, container, ok
}

// bySource finds the subject by where the request comes from: version 2.
func (s *Server) bySource(then answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, ok := s.cfg.Tasks.Task(caller(r).Task)
		if !ok {
			reply(w, http.StatusBadRequest, "Unable to get task arn from request: unable to associate the address with a task")
			return
		}
		name := r.PathValue("container")
		for i := range t.Containers {
			if c := &t.Containers[i]; name != "" && c.RuntimeID == name {
				name = c.Name // version 2 names containers by their runtime id
			}
		}
		then(w, r, subject{version: 2, task: t, container: name})
	}
}

func (s *Server) showTask(w http.ResponseWriter, _ *http.Request, about subject) {
	reply(w, http.StatusOK, about.version.task(about.task, s.cfg.Now(), false))
}

func (s *Server) showTags(w http.ResponseWriter, _ *http.Request, about subject) {
	reply(w, http.StatusOK, about.version.task(about.task, s.cfg.Now(), true))
}

func (s *Server) showContainer(w http.ResponseWriter, _ *http.Request, about subject) {
	c := about.task.container(about.container)
	if c == nil {
		reply(w, http.StatusNotFound, "unable to find the container")
		return
	}
	reply(w, http.StatusOK, about.version.container(about.task, c))
}

func (s *Server) associations(w http.ResponseWriter, r *http.Request, about subject) {
	names := []string{}
	if c := about.task.Order.Container(about.container); c != nil && r.PathValue("type") == "gpu" {
		names = append(names, c.GPUs...)
	}
	reply(w, http.StatusOK, map[string][]string{"Associations": names})
}

// credentialsAnswer has the names SDKs expect of a container credentials provider.
type credentialsAnswer struct {
	RoleArn         string
	AccessKeyId     string //nolint:revive // the wire's name
	SecretAccessKey string
	Token           string
	Expiration      string
}

// credentialsError is the ECS agent's form.
type credentialsError struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	HTTPErrorCode int
}

func (s *Server) credentials(w http.ResponseWriter, r *http.Request, id, request string) {
	refuse := func(status int, code, text string) {
		reply(w, status, credentialsError{Code: code, Message: request + ": " + text, HTTPErrorCode: status})
	}
	if id == "" {
		refuse(http.StatusBadRequest, "NoIdInRequest", "No Credential ID in the request")
		return
	}
	c, arn, ok := s.cfg.Tasks.Credentials(id)
	if who := caller(r); !ok || who.Task != "" && who.Task != arn {
		s.cfg.Log.Warn("credentials were refused", "caller", who.Task)
		refuse(http.StatusBadRequest, "InvalidIdInRequest", "Credentials not found")
		return
	}
	if c.AccessKeyID == "" {
		refuse(http.StatusServiceUnavailable, "CredentialsUninitialized", "Credentials uninitialized for ID")
		return
	}
	s.cfg.Log.Info("credentials were given", "task", arn, "role", c.RoleARN)
	reply(w, http.StatusOK, answerCredentials(c))
}

func answerCredentials(c *task.Credentials) credentialsAnswer {
	return credentialsAnswer{
		RoleArn: c.RoleARN, AccessKeyId: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, Token: c.SessionToken,
		Expiration: c.Expiration.UTC().Format(expirationFormat),
	}
}

// expirationFormat is RFC 3339 in UTC and whole seconds, as SDKs parse it.
const expirationFormat = "2006-01-02T15:04:05Z"

func reply(w http.ResponseWriter, status int, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		status, content = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(content) // the task may have gone
}
