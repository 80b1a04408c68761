package cloudwatch

import (
	"encoding/base64"
	"encoding/json"

	"github.com/berthhq/berth/domain/fault"
)

func badToken() error {
	return fault.New(fault.InvalidNextToken, "The next token specified is invalid.")
}

// sealPage makes the opaque token that goes on after a cursor.
func sealPage(cursor any) *string {
	text, err := json.Marshal(cursor)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return new(base64.RawURLEncoding.EncodeToString(text))
}

// openPage reads a token, if there is one, into cursor.
func openPage(token *string, cursor any) error {
	if token == nil {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || json.Unmarshal(text, cursor) != nil {
		return badToken()
	}
	return nil
}

// pageSize is how many alarms or items of history a page has.
func pageSize(limit *int32) int {
	const usual = 50
	if limit == nil {
		return usual
	}
	return int(*limit)
}
