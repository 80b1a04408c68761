package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// model is the part of a botocore service model that the shapes are made of.
type model struct {
	Metadata   metadata              `json:"metadata"`
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`
}

type metadata struct {
	APIVersion      string          `json:"apiVersion"`
	EndpointPrefix  string          `json:"endpointPrefix"`
	SigningName     string          `json:"signingName"`
	TargetPrefix    string          `json:"targetPrefix"`
	JSONVersion     string          `json:"jsonVersion"`
	Protocol        string          `json:"protocol"`
	Protocols       []string        `json:"protocols"`
	XMLNamespace    string          `json:"xmlNamespace"`
	QueryCompatible json.RawMessage `json:"awsQueryCompatible"`
}

type operation struct {
	HTTP   httpTrait `json:"http"`
	Input  *ref      `json:"input"`
	Output *ref      `json:"output"`
}

type httpTrait struct {
	Method       string `json:"method"`
	RequestURI   string `json:"requestUri"`
	ResponseCode int    `json:"responseCode"`
}

type shape struct {
	Type            string          `json:"type"`
	Members         *members        `json:"members"`
	Member          *ref            `json:"member"`
	Key             *ref            `json:"key"`
	Value           *ref            `json:"value"`
	Required        []string        `json:"required"`
	Enum            []string        `json:"enum"`
	Min             *float64        `json:"min"`
	Max             *float64        `json:"max"`
	Pattern         string          `json:"pattern"`
	Flattened       bool            `json:"flattened"`
	LocationName    string          `json:"locationName"`
	Payload         string          `json:"payload"`
	Sensitive       bool            `json:"sensitive"`
	Document        bool            `json:"document"`
	EventStream     bool            `json:"eventstream"`
	Exception       bool            `json:"exception"`
	TimestampFormat string          `json:"timestampFormat"`
	Union           json.RawMessage `json:"union"`
}

// ref is a use of a shape: a member, an element, an input.
type ref struct {
	Shape            string `json:"shape"`
	LocationName     string `json:"locationName"`
	QueryName        string `json:"queryName"`
	Location         string `json:"location"`
	ResultWrapper    string `json:"resultWrapper"`
	Flattened        bool   `json:"flattened"`
	IdempotencyToken bool   `json:"idempotencyToken"`
	TimestampFormat  string `json:"timestampFormat"`
}

// members keeps the order of the model.
type members struct {
	names []string
	refs  map[string]*ref
}

func (m *members) UnmarshalJSON(data []byte) error {
	m.refs = map[string]*ref{}
	if err := json.Unmarshal(data, &m.refs); err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		m.names = append(m.names, key.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return err
		}
	}
	return nil
}

// readModel reads the newest model of a service.
func readModel(dir, service string) (*model, error) {
	versions, err := filepath.Glob(filepath.Join(dir, service, "*", "service-2.json.gz"))
	if err != nil || len(versions) == 0 {
		return nil, fmt.Errorf("no model in %s: %w", filepath.Join(dir, service), errors.Join(err, fs.ErrNotExist))
	}
	slices.Sort(versions)
	f, err := os.Open(versions[len(versions)-1])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	m := &model{}
	return m, json.NewDecoder(z).Decode(m)
}

// extend merges what a newer model has: whole shapes, and members of known ones.
func (m *model) extend(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var newer model
	if err := json.Unmarshal(data, &newer); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, op := range newer.Operations {
		if m.Operations[name] == nil {
			m.Operations[name] = op
		}
	}
	for name, s := range newer.Shapes {
		known := m.Shapes[name]
		if known == nil {
			if s.Type == "structure" && s.Members == nil {
				s.Members = &members{}
			}
			m.Shapes[name] = s
			continue
		}
		known.add(s)
	}
	return nil
}

func (s *shape) add(newer *shape) {
	for _, v := range newer.Enum {
		if !slices.Contains(s.Enum, v) {
			s.Enum = append(s.Enum, v)
		}
	}
	if newer.Members == nil {
		return
	}
	for _, name := range newer.Members.names {
		if s.Members.refs[name] == nil {
			s.Members.names = append(s.Members.names, name)
			s.Members.refs[name] = newer.Members.refs[name]
		}
	}
}

// wanted is one line of an operation list.
type wanted struct {
	name     string
	nameOnly bool // offered by AWS, not in the model
}

func readOperations(path string) ([]wanted, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []wanted
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) > 0 {
			out = append(out, wanted{words[0], len(words) > 1 && words[1] == "name-only"})
		}
	}
	slices.SortFunc(out, func(a, b wanted) int { return strings.Compare(a.name, b.name) })
	return out, nil
}
