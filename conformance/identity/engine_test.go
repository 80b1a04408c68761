package identity_test

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// engine stands in for DynamoDB: it has one table, whose key is id, and keeps what is
// put there.
type engine struct {
	mu    sync.Mutex
	items []string // ids
}

// table is the engine's only one.
const table = "sessions"

func startEngine() (*engine, *httptest.Server) {
	e := &engine{}
	return e, httptest.NewServer(e)
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		TableName string
		Item      struct{ ID struct{ S string } }
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case asked.TableName != table && !strings.HasSuffix(asked.TableName, ":table/"+table):
		say(w, http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`)
	case operation == "DescribeTable":
		say(w, http.StatusOK, `{"Table":{"TableName":"`+table+`","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}`)
	default:
		e.keep(asked.Item.ID.S)
		say(w, http.StatusOK, "{}")
	}
}

// say answers as DynamoDB does, with a checksum that its clients look at.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(text))), 10))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // who asked may be gone
}

func (e *engine) keep(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.items = append(e.items, id)
}

// kept is what was put so far.
func (e *engine) kept() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.items...)
}
