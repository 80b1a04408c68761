package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/berthhq/berth/aws/wire"
)

// moduleDir is where the source of a client's module lies.
func moduleDir(t *testing.T, module string) string {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+module).Output()
	if err != nil {
		t.Fatalf("find the client of %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}

// readRequest reads a request snapshot: a line with method and path, an empty
// line, headers, an empty line, the body.
func readRequest(t *testing.T, path string) (*http.Request, []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(data))
	line, _ := r.ReadString('\n')
	method, target, _ := strings.Cut(strings.TrimSpace(line), " ")
	_, _ = r.ReadString('\n')
	u, err := url.Parse("http://berth.test" + target)
	if err != nil {
		t.Fatal(err)
	}
	req := &http.Request{Method: method, URL: u, Header: readHeader(r)}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return req, body
}

func readHeader(r *bufio.Reader) http.Header {
	h := http.Header{}
	for {
		line, err := r.ReadString('\n')
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		if err != nil || !ok {
			return h
		}
		h.Add(name, value)
	}
}

// TestRequestSnapshotsDecodeWhole feeds the requests that the client's modules
// ship, each with every member set, and checks that every member found a place.
func TestRequestSnapshotsDecodeWhole(t *testing.T) {
	d := directory()
	read := 0
	for _, s := range Services() {
		t.Run(s.API.Name, func(t *testing.T) {
			dir := filepath.Join(moduleDir(t, s.Module), "request_snapshot")
			if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
				t.Logf("the client of %s ships no request snapshots", s.API.Name)
				return
			}
			for i := range s.API.Operations {
				op := &s.API.Operations[i]
				if op.Modelled() && !streams(op) {
					requestSnapshot(t, d, op, filepath.Join(dir, op.Name+".request.snap"))
					read++
				}
			}
		})
	}
	if read < 600 {
		t.Errorf("only %d snapshots were read", read)
	}
}

func requestSnapshot(t *testing.T, d *wire.Directory, op *wire.Operation, path string) {
	t.Helper()
	r, body := readRequest(t, path)
	q, err := d.Detect(r, body)
	if err != nil || q.Name != op.Name {
		t.Errorf("%s: taken for %q: %v", op.Name, q.Name, err)
		return
	}
	in, err := q.Decode(r, body)
	if err != nil {
		t.Errorf("%s: %v", op.Name, err)
		return
	}
	sent := leavesSent(t, q.Protocol, body)
	keys := q.Protocol == wire.AWSQuery || q.Protocol == wire.EC2Query
	if got := leavesOf(reflect.ValueOf(in), keys); got != sent {
		t.Errorf("%s: the client sent %d values, %d were decoded: %s", op.Name, sent, got, body[:min(len(body), 3000)])
	}
}

// TestAnswerSnapshotsDecodeWhole does the same with answers and refusals, for the
// services whose client of ours exists: those that speak JSON.
func TestAnswerSnapshotsDecodeWhole(t *testing.T) {
	read := 0
	for _, s := range Services() {
		if !s.API.Speaks(wire.AWSJSON11) {
			continue
		}
		t.Run(s.API.Name, func(t *testing.T) {
			dir := filepath.Join(moduleDir(t, s.Module), "response_snapshot")
			files, err := filepath.Glob(filepath.Join(dir, "*.snap"))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range files {
				name, kind, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".snap"), ".")
				op := s.API.Operation(name)
				switch {
				case kind == "error":
					refusalSnapshot(t, s.API, name, path)
				case op != nil && op.Modelled() && !streams(op):
					answerSnapshot(t, s.API, op, path)
					read++
				}
			}
		})
	}
	if read < 250 {
		t.Errorf("only %d snapshots were read", read)
	}
}

// replay answers every request with a snapshot: a line with the status, headers,
// an empty line, the body.
type replay struct{ path string }

func (p replay) RoundTrip(*http.Request) (*http.Response, error) {
	status, header, body, err := p.read()
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))}, err
}

func (p replay) read() (int, http.Header, []byte, error) {
	data, err := os.ReadFile(p.path)
	if err != nil {
		return 0, nil, nil, err
	}
	r := bufio.NewReader(bytes.NewReader(data))
	line, _ := r.ReadString('\n')
	status, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, nil, nil, err
	}
	header := readHeader(r)
	body, err := io.ReadAll(r)
	return status, header, body, err
}

func replayClient(s *wire.Service, path string) *wire.Client {
	return &wire.Client{Service: s, Endpoint: "http://berth.test", HTTP: &http.Client{Transport: replay{path}}}
}

func answerSnapshot(t *testing.T, s *wire.Service, op *wire.Operation, path string) {
	t.Helper()
	out := reflect.New(op.Out)
	if err := replayClient(s, path).Call(t.Context(), op.Name, reflect.New(op.In).Interface(), out.Interface()); err != nil {
		t.Errorf("%s: %v", op.Name, err)
		return
	}
	_, _, body, err := replay{path}.read()
	if err != nil {
		t.Fatal(err)
	}
	if len(body) == 0 || op.Out == reflect.TypeFor[wire.Empty]() {
		return // an answer where the model has none is newer than the model
	}
	if sent, got := leavesSent(t, wire.AWSJSON11, body), leavesOf(out, false); sent != got {
		t.Errorf("%s: AWS sent %d values, %d were decoded: %s", op.Name, sent, got, body[:min(len(body), 3000)])
	}
}

func refusalSnapshot(t *testing.T, s *wire.Service, name, path string) {
	t.Helper()
	any := slices.IndexFunc(s.Operations, func(op wire.Operation) bool { return op.Modelled() })
	err := replayClient(s, path).Call(t.Context(), s.Operations[any].Name, &wire.Empty{}, nil)
	var refused *wire.CallError
	if !errors.As(err, &refused) || !strings.HasPrefix(name, refused.Code) {
		t.Errorf("%s: came out as %v", name, err)
	}
}

// leavesSent counts the scalars in a body.
func leavesSent(t *testing.T, p wire.Protocol, body []byte) int {
	t.Helper()
	var tree any
	var err error
	switch p {
	case wire.AWSQuery, wire.EC2Query:
		values, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatal(err)
		}
		return len(values) - 2 // Action and Version
	case wire.CBOR:
		err = cbor.Unmarshal(body, &tree)
	default:
		err = json.Unmarshal(body, &tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	return leavesOfTree(tree)
}

func leavesOfTree(tree any) int {
	n := 0
	switch v := tree.(type) {
	case map[string]any:
		for _, item := range v {
			n += leavesOfTree(item)
		}
	case map[any]any:
		for _, item := range v {
			n += leavesOfTree(item)
		}
	case []any:
		for _, item := range v {
			n += leavesOfTree(item)
		}
	default:
		n = 1
	}
	return n
}

// leavesOf counts the scalars in a decoded struct, with the keys of maps or without.
func leavesOf(v reflect.Value, keys bool) int {
	if d, ok := v.Interface().(wire.Document); ok {
		var tree any
		if len(d) == 0 || json.Unmarshal(d, &tree) != nil {
			return 0
		}
		return leavesOfTree(tree)
	}
	n := 0
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return leavesOf(v.Elem(), keys)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return 1
		}
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				n += leavesOf(f, keys)
			}
		}
		return n
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 1
		}
		for i := range v.Len() {
			n += leavesOf(v.Index(i), keys)
		}
		return n
	case reflect.Map:
		for _, k := range v.MapKeys() {
			n += leavesOf(v.MapIndex(k), keys)
			if keys {
				n++
			}
		}
		return n
	}
	return 1
}
