package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/berthhq/berth/domain/fault"
)

// document is a JSON object by its exact member names. Go's own decoding into
// structs takes other cases too, and the last of two members: what we authorise
// must be what the engine reads.
type document map[string]json.RawMessage

// maxDepth is how deep a request may nest: DynamoDB allows 32 levels of values.
const maxDepth = 100

func parseDocument(body []byte) (document, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	var out document
	err := once(d, 0)
	if _, more := d.Token(); err == nil && more != io.EOF {
		err = errors.New("more than one value")
	}
	if err == nil {
		err = json.Unmarshal(body, &out)
	}
	if err != nil || out == nil {
		return nil, fault.New(fault.Serialization, "The request body is not the JSON of one request.").Because(err)
	}
	return out, nil
}

// once reads a value and refuses objects that name a member twice.
func once(d *json.Decoder, depth int) error {
	token, err := d.Token()
	opened, is := token.(json.Delim)
	if err != nil || !is {
		return err
	}
	if depth > maxDepth {
		return errors.New("too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if opened == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if text, _ := name.(string); names[text] {
				return errors.New("a member twice: " + text)
			} else {
				names[text] = true
			}
		}
		if err := once(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (d document) text(name string) string {
	var s string
	_ = json.Unmarshal(d[name], &s) // the engine refuses what is no text
	return s
}

func (d document) object(name string) document {
	var o document
	_ = json.Unmarshal(d[name], &o)
	return o
}

func (d document) list(name string) []document {
	var l []document
	_ = json.Unmarshal(d[name], &l)
	return l
}

func (d document) texts(name string) []string {
	var l []string
	_ = json.Unmarshal(d[name], &l)
	return l
}
