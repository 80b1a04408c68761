package iam

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/berthhq/berth/aws/shape/iam"
)

// position is where a statement of a document begins and ends; nil where it cannot
// be told.
func position(document string, index int) (start, end *iam.Position) {
	raw, offset := memberOf(document, "Statement")
	if raw == nil {
		return nil, nil
	}
	if raw[0] == '{' {
		return lineAndColumn(document, offset), lineAndColumn(document, offset+len(raw))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, nil
	}
	for n := 0; d.More(); n++ {
		var statement json.RawMessage
		if err := d.Decode(&statement); err != nil {
			return nil, nil
		}
		if n == index {
			last := offset + int(d.InputOffset())
			return lineAndColumn(document, last-len(statement)), lineAndColumn(document, last)
		}
	}
	return nil, nil
}

// memberOf is a member of a JSON object, and where it begins.
func memberOf(object, name string) (raw json.RawMessage, offset int) {
	d := json.NewDecoder(strings.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, 0
	}
	for d.More() {
		key, err := d.Token()
		if err != nil || d.Decode(&raw) != nil {
			return nil, 0
		}
		if key == name {
			return raw, int(d.InputOffset()) - len(raw)
		}
	}
	return nil, 0
}

// lineAndColumn both begin at 1.
func lineAndColumn(text string, offset int) *iam.Position {
	before := text[:offset]
	return &iam.Position{
		Line:   new(int32(strings.Count(before, "\n") + 1)),
		Column: new(int32(offset - strings.LastIndexByte(before, '\n'))),
	}
}
