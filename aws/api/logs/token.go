package logs

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/berthhq/berth/domain/fault"
	"github.com/berthhq/berth/domain/telemetry"
)

func badToken() error {
	return fault.New(fault.InvalidParameter, "The specified nextToken is invalid.")
}

// sealPage makes the opaque token that goes on after a cursor.
func sealPage(cursor any) *string {
	text, err := json.Marshal(cursor)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	token := base64.RawURLEncoding.EncodeToString(text)
	return &token
}

// openPage reads a token into cursor.
func openPage(token string, cursor any) error {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(text, cursor) != nil {
		return badToken()
	}
	return nil
}

// gapToken is the token of GetLogEvents: f/DIGITS/s reads forward from a gap
// between events, b/DIGITS/s backward.
func gapToken(forward bool, gap telemetry.Position) *string {
	token := "b/" + gap.String() + "/s"
	if forward {
		token = "f/" + gap.String() + "/s"
	}
	return &token
}

func parseGapToken(token string) (forward bool, gap telemetry.Position, err error) {
	direction, rest, _ := strings.Cut(token, "/")
	digits, tail, _ := strings.Cut(rest, "/")
	gap, err = telemetry.ParsePosition(digits)
	if err != nil || tail != "s" || direction != "f" && direction != "b" {
		return false, gap, badToken()
	}
	return direction == "f", gap, nil
}
